export interface Pull {
  readonly number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  draft: boolean;
  readonly head: string;
  readonly base: string;
  /** Last known commit of the head: it stays when the branch goes. */
  headSha: string;
  readonly user: string;
  readonly createdAt: string;
  updatedAt: string;
  mergedAt: string | null;
  closedAt: string | null;
  closedBy: string | null;
  mergeCommit: string | null;
  labels: string[];
  reviewers: string[];
  readonly comments: { id: number; user: string; body: string; at: string }[];
}

export interface Repository {
  readonly fullName: string;
  readonly folder: string;
  readonly branch: string;
  archived: boolean;
  readonly pulls: Pull[];
}

export type Permission = "read" | "write" | "admin";

export interface Token {
  readonly login: string;
  readonly permission: Permission;
}

export interface Fault {
  readonly method?: string;
  readonly path: RegExp;
  /** Answers left to spoil. */
  times: number;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly closeConnection?: boolean;
  readonly delayMs?: number;
}

export interface RequestRow {
  readonly method: string;
  readonly path: string;
  readonly login: string | null;
  readonly body: string;
  status: number;
}
