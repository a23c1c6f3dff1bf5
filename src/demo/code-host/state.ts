/** What an issue and a pull request have in common: they are numbered together, and both are talked about. */
export interface Talk {
  readonly number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly user: string;
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  closedBy: string | null;
  labels: string[];
  readonly comments: { id: number; user: string; body: string; at: string; edited?: string }[];
}

export interface Issue extends Talk {
  /** Who changed its body last, and when. */
  edited?: { readonly by: string; readonly at: string };
  reason: "completed" | "not_planned" | "duplicate" | "reopened" | null;
}

export interface Pull extends Talk {
  draft: boolean;
  readonly head: string;
  readonly base: string;
  /** Last known commit of the head: it stays when the branch goes. */
  headSha: string;
  mergedAt: string | null;
  mergeCommit: string | null;
  reviewers: string[];
  /** Slugs of teams that were asked for a review. */
  teams: string[];
}

export interface Repository {
  readonly fullName: string;
  readonly folder: string;
  readonly branch: string;
  archived: boolean;
  /** Everybody may see it. */
  readonly public: boolean;
  /** Issues are switched off. */
  noIssues: boolean;
  /** Users and teams that cannot be asked for a review: they are no collaborators. */
  readonly strangers: Set<string>;
  readonly pulls: Pull[];
  readonly issues: Issue[];
  readonly checks: Check[];
  /** Newest last. */
  readonly statuses: Status[];
  /** Role of each collaborator. */
  readonly roles: Map<string, string>;
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly annotation_level: string;
  readonly title: string | null;
  readonly message: string;
}

/** A check run. */
export interface Check {
  readonly id: number;
  readonly sha: string;
  /** Slug of the App that made it. */
  readonly app: string;
  name: string;
  externalId: string;
  status: string;
  conclusion: string | null;
  readonly startedAt: string;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  readonly annotations: Annotation[];
}

/** A commit status. */
export interface Status {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string | null;
  readonly url: string | null;
  readonly user: string;
  readonly at: string;
}

export type Permission = "read" | "write" | "admin";

export interface Token {
  readonly login: string;
  readonly permission: Permission;
  /** Slug of the App whose installation's token it is: only an App may write check runs. */
  readonly app?: string;
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
