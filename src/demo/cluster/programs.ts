/**
 * What the programs in images need, in place of running them. A container fails because its manifest does not give its
 * program what it needs: nothing is scripted per scenario.
 */
export interface Program {
  /** Bytes it needs at work: a lower memory limit gets it OOM-killed. */
  readonly memory?: number;
  /** TCP ports it listens on. */
  readonly ports?: readonly number[];
  /** HTTP paths it answers with 200, others with 404. Absent: every path is served. */
  readonly paths?: readonly string[];
  /** Seconds until it listens (default 0). */
  readonly startSeconds?: number;
  /** Seconds it takes for an answer (default 0). */
  readonly answerSeconds?: number;
  /** Environment it cannot do without: present, and one of `values` where they are given. Else it logs and exits with 1. */
  readonly requires?: readonly { readonly name: string; readonly values?: readonly string[]; readonly log?: string }[];
  /** It ends by itself. */
  readonly exit?: { readonly code: number; readonly afterSeconds?: number };
  /** The runtime cannot start it: the message of the failure. */
  readonly startError?: string;
  /** Lines it writes when it starts. */
  readonly log?: readonly string[];
  /** Exit code on SIGTERM (default 143). */
  readonly stopCode?: number;
  /** Labels of its image. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Commands that exec probes and `pods/exec` run in it; absent: every command fails. */
  readonly exec?: (argv: readonly string[]) => { readonly code: number; readonly output: string };
}

/** What a container was started with. */
export interface Launch {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Contents of mounted ConfigMaps and Secrets, by absolute path. */
  readonly files: Readonly<Record<string, string>>;
}

/** A program, or what makes one of how it is started. */
export type ProgramSource = Program | ((launch: Launch) => Program);

export interface Image {
  /** Full reference: `docker.io/library/busybox:1.36`. */
  readonly reference: string;
  readonly digest: string;
  /** What the registry serves of it, with their digests: the manifest is the one of `digest`. */
  readonly manifest: string;
  readonly configuration: { readonly digest: string; readonly text: string };
  readonly bytes: number;
  readonly program: ProgramSource;
}

/** The programs by image reference. Changes at run time are seen at once: a pushed tag can be pulled. */
export interface ImageRegistry {
  find(reference: string): Image | undefined;
  push(reference: string, program: ProgramSource): void;
  remove(reference: string): void;
  list(): readonly Image[];
}

/** `host/repository:tag` or `host/repository@digest`, as containerd spells a reference out. */
export function fullReference(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const hosted = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const path = hosted ? reference : `docker.io/${rest.length > 0 ? reference : `library/${reference}`}`;
  const last = path.split("/").at(-1) ?? "";
  return last.includes("@") || last.includes(":") ? path : `${path}:latest`;
}
