/**
 * The doors to the outside, in our own words. Adapters stand behind them (`src/adapters/`); `compose.ts` says which.
 * Steps see these interfaces only, so every step runs against the embedded servers and against fakes alike.
 */
import type {
  Commit,
  Delivery,
  FileEdit,
  IssueRef,
  Json,
  KubeObject,
  Notice,
  NoticeThread,
  ObjectRef,
  PatchOperation,
  PullRequestRef,
  RemoteChart,
  Source,
} from "./model.ts";

/** A resource as it stands in API paths: `{ group: "apps", version: "v1", plural: "deployments", … }`. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface ListOptions {
  /** "" or absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects a page; the cluster is read page by page and never held whole. */
  readonly limit?: number;
  /** Only `metadata` (PartialObjectMetadataList): what is needed of Secrets. */
  readonly metadataOnly?: boolean;
}

/** One verb on one resource. */
export interface Access {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  /** Absent: in every namespace, or of what has none. */
  readonly namespace?: string;
  /** One object's name; absent: any. */
  readonly name?: string;
}

/** A rule that an account holds in a namespace; `*` is a wildcard, and `resources` may name a subresource (`pods/exec`). */
export interface HeldRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: any. */
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

/** The Kubernetes API. Throws StanchError (`cluster`, `forbidden`, `conflict`, `invalid`, `not-found`). */
export interface Cluster {
  /** Where it is, for people; makes no call. */
  readonly server: string;
  readonly context: string;
  /** Requests made so far. */
  calls(): number;
  version(): Promise<string>;
  /** The pages of a list. A page whose `continue` token expired (410) starts the list anew, at most once. */
  list(resource: Resource, options?: ListOptions): AsyncIterable<readonly KubeObject[]>;
  /** Null when there is none. */
  get(ref: ObjectRef): Promise<KubeObject | null>;
  create(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<KubeObject>;
  /** JSON Patch (RFC 6902) with field manager `stanch`. `conflict` when a `test` fails. */
  patch(
    ref: ObjectRef,
    operations: readonly PatchOperation[],
    options?: { readonly dryRun?: boolean; readonly subresource?: string },
  ): Promise<KubeObject>;
  /** PUT with the resourceVersion in the object: `conflict` when somebody was faster. */
  replace(object: KubeObject, options?: { readonly subresource?: string }): Promise<KubeObject>;
  /** Server-side apply dry run: would admission take this object? */
  dryRunApply(object: KubeObject, options?: { readonly fieldManager?: string }): Promise<KubeObject>;
  delete(ref: ObjectRef): Promise<void>;
  /** The Eviction API, which respects PodDisruptionBudgets: false when a budget forbids it now (429). */
  evict(pod: ObjectRef): Promise<boolean>;
  /**
   * Runs a command in a container of a running pod (`pods/exec`). `exitCode` null: it had not ended when the time was over, or the connection
   * was lost; whether it goes on is not known. `output`: both streams as they came, the first bytes of them.
   */
  exec(
    pod: ObjectRef,
    container: string,
    command: readonly string[],
    bounds: { readonly timeoutMs: number; readonly outputBytes: number },
  ): Promise<{ readonly exitCode: number | null; readonly output: string }>;
  /** The last lines of a container's log, bounded; "" when there is none. */
  logs(
    pod: ObjectRef,
    container: string,
    options: {
      readonly previous: boolean;
      readonly tailLines: number;
      readonly limitBytes: number;
      /** Only what was said in so many seconds until now. */
      readonly sinceSeconds?: number;
    },
  ): Promise<string>;
  /**
   * Asks a port of a pod by HTTP GET through the API server (`pods/proxy`), as the kubelet's probe would. The status that
   * the program answers with; `refused` when nothing listens there; null when it could not be asked (no right, no answer, no
   * HTTP). What it says is not read.
   */
  ask(
    pod: ObjectRef,
    question: { readonly scheme: "HTTP" | "HTTPS"; readonly port: number; readonly path: string },
  ): Promise<number | "refused" | null>;
  /** Does the API server serve this resource at all? Discovery, which every account may read; kept for the run. */
  serves(resource: Resource): Promise<boolean>;
  /** The schema of a kind as the API server publishes it (OpenAPI 3), which every account may read; null where it tells none. */
  schema(resource: Resource): Promise<unknown>;
  /** The resource of a kind, by what is known and by discovery; null where the cluster does not serve it. */
  resource(apiVersion: string, kind: string): Promise<Resource | null>;
  /** What charts ask of a cluster (`.Capabilities`): its version, and `group/version` and `group/version/Kind` of what it serves. */
  capabilities(): Promise<{ readonly kubeVersion: string; readonly apiVersions: readonly string[] }>;
  /** SelfSubjectAccessReview for each, in order. */
  review(accesses: readonly Access[]): Promise<readonly boolean[]>;
  /** SelfSubjectRulesReview: what this account may do in a namespace, by RBAC; another authorizer may tell less than it grants. */
  heldRules(namespace: string): Promise<readonly HeldRule[]>;
  close(): void;
}

/** A repository on a code host, at one revision, as a directory on disk that is ours alone. */
export interface Checkout {
  /** Absolute path of the working tree at `revision`. */
  readonly directory: string;
  /** Commit id of the branch's head when it was fetched. */
  readonly revision: string;
  readonly branch: string;
  /** Every file Git tracks, with mode ("100644", "120000" = symlink, "160000" = submodule) and size in bytes. */
  files(): Promise<readonly TrackedFile[]>;
  /** Text of a tracked file at `revision`, decoded as fatal UTF-8; null when there is none. */
  read(file: string): Promise<string | null>;
  /** Commits that touched any of `paths` (files or folders; "." is everything), newest first, along the first parents. */
  history(paths: readonly string[], limit: number): Promise<readonly Commit[]>;
  /** Who last wrote a line (1-based) of a file at `revision`. */
  blame(file: string, line: number): Promise<Commit | null>;
  /** Tracked text files at `revision` that hold a text to the letter, in the order of their paths; at most `limit`. */
  filesWith(
    text: string,
    options: { readonly ignoreCase: boolean; readonly limit: number },
  ): Promise<readonly string[]>;
  /** Files that differ between another commit and `revision`, both names of one that moved; null where there is no such commit. */
  changedSince(commit: string): Promise<readonly string[] | null>;
  /** As `read`, at another commit. */
  readAt(commit: string, file: string): Promise<string | null>;
  /** The tree of another commit as a directory, read-only use; removed with the checkout. */
  treeAt(revision: string): Promise<string>;
  /** Commits edits on top of `revision` and pushes them to `branch`, unless somebody else has committed to it ("edited"). */
  publish(request: PublishRequest): Promise<PublishResult>;
  close(): Promise<void>;
}

export interface TrackedFile {
  readonly path: string;
  readonly mode: string;
  readonly bytes: number;
}

export interface PublishRequest {
  readonly branch: string;
  readonly message: string;
  readonly edits: readonly FileEdit[];
  /** Commit id that the remote branch must have now (null: must not exist): compare and swap. */
  readonly expected: string | null;
}

export type PublishResult =
  | { readonly pushed: true; readonly head: string }
  | { readonly pushed: false; readonly reason: "unchanged" | "moved" | "edited" | "refused"; readonly message: string };

export interface Repositories {
  /** Fetches (cached, blobless) and checks out a branch. Throws StanchError `git` with a hint. */
  open(repository: string, branch: string): Promise<Checkout>;
}

/** Charts of Helm repositories and registries. */
export interface Charts {
  /**
   * Fetches a chart (cached) as a read-only checkout: the chart is its folder `chart.name`. Throws StanchError `render` with a hint
   * when it is not to be had without credentials.
   */
  open(chart: RemoteChart): Promise<Checkout>;
}

/** A file of a source that could not be read, so that what it declares is not among the rendered objects. */
export interface Unread {
  readonly file: string;
  /** The reader's complaint, without text of the file. */
  readonly message: string;
  /** 1-based, where the parser gave up. */
  readonly line?: number;
  /** Like a manifest; like a template of some tool's, which is no manifest yet; or nobody saw into it. */
  readonly looks: "manifest" | "template" | "unknown";
}

/** A rendered tree. */
export interface Rendered {
  readonly objects: readonly KubeObject[];
  /** `kustomize v5.8.2`, `plain`. */
  readonly tool: string;
  /** What of a folder of plain manifests could not be read; absent: nothing. The objects of all other files are right nevertheless. */
  readonly unread?: readonly Unread[];
}

export interface Renderer {
  /**
   * Renders a source from a directory that holds the repository. Throws StanchError `render` with the tool's own
   * message (bounded, no machine path in it). One file of a plain folder that cannot be read does not sink the rest: it stands in `unread`.
   */
  render(directory: string, source: Source): Promise<Rendered>;
  /** Program and version for each tool found; a sentence for each that is missing. */
  versions(): Promise<readonly { readonly tool: string; readonly version?: string; readonly missing?: string }[]>;
}

/** A container registry over its HTTP API (OCI Distribution). */
export interface Registry {
  /** Does this reference exist? "unknown" when the registry could not be asked, with the reason. */
  exists(
    image: string,
    credentials?: RegistryCredentials,
  ): Promise<{ readonly state: "present" | "absent" | "unknown"; readonly reason?: string }>;
  /** Tags of a repository, bounded; null when it has none or could not be asked. */
  tags(image: string, credentials?: RegistryCredentials): Promise<readonly string[] | null>;
  /** What an image says of itself: annotations of its index and manifest, and labels of its configuration. Strangers wrote it. */
  labels(image: string, credentials?: RegistryCredentials): Promise<ImageLabels | { readonly unknown: string }>;
}

export interface ImageLabels {
  /** Of the manifest that was asked for, checked against its content. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

export interface PullRequest extends PullRequestRef {
  readonly state: "open" | "closed";
  readonly merged: boolean;
  readonly mergedAt?: string;
  readonly mergeCommit?: string;
  readonly closedBy?: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** Login of who opened it. */
  readonly author?: string;
}

export interface Issue extends IssueRef {
  readonly title: string;
  readonly body: string;
  readonly author: string;
  readonly state: "open" | "closed";
  /** Why it was closed, as GitHub has it: `completed` is also what its plain button says. */
  readonly reason?: "completed" | "not_planned" | "duplicate";
  readonly closedAt?: string;
  readonly closedBy?: string;
}

/** GitHub. Throws StanchError `code-host` with a hint (token scope, protected branch, rate limit). */
export interface CodeHost {
  /** Login of the token, permissions on the repository and its default branch. */
  check(repository: string): Promise<{
    readonly login: string;
    readonly push: boolean;
    readonly defaultBranch: string;
    readonly archived: boolean;
    /** Of an App: was it given the right to write check runs? Nobody says it of a token. */
    readonly checks?: boolean;
  }>;
  /** May everybody read what stands there? */
  isPublic(repository: string): Promise<boolean>;
  /** Pull requests of any state whose head is this branch of the same repository, newest first. */
  pullRequests(repository: string, branch: string): Promise<readonly PullRequest[]>;
  pullRequest(repository: string, number: number): Promise<PullRequest>;
  openPullRequests(repository: string, prefix: string): Promise<readonly PullRequest[]>;
  createPullRequest(
    repository: string,
    request: {
      readonly title: string;
      readonly body: string;
      readonly head: string;
      readonly base: string;
      readonly draft: boolean;
      /** Where the host takes no drafts, none is opened. */
      readonly draftOnly?: boolean;
    },
  ): Promise<PullRequest>;
  updatePullRequest(
    repository: string,
    number: number,
    change: { readonly title?: string; readonly body?: string; readonly state?: "open" | "closed" },
  ): Promise<PullRequest>;
  /** Authors and committers of the commits on a pull request. */
  commitsOf(
    repository: string,
    number: number,
  ): Promise<
    readonly { readonly sha: string; readonly author: string; readonly committer: string; readonly message: string }[]
  >;
  comment(repository: string, number: number, body: string): Promise<void>;
  comments(repository: string, number: number): Promise<readonly { readonly author: string; readonly body: string }[]>;
  /** Adds labels; a failure is the caller's to log, not to stop for. */
  addLabels(repository: string, number: number, labels: readonly string[]): Promise<void>;
  /** Takes a label away; one that is not there is none to take away. */
  removeLabel(repository: string, number: number, label: string): Promise<void>;
  /** Makes a draft ready for review; what is no draft stays as it is. */
  markReady(repository: string, number: number): Promise<void>;
  /** Users by login, teams by slug. GitHub refuses all of them when one is no collaborator. */
  requestReviewers(
    repository: string,
    number: number,
    reviewers: { readonly users: readonly string[]; readonly teams: readonly string[] },
  ): Promise<void>;
  /** Login of a commit's author; null when the commit belongs to no account, or to a bot's. */
  authorOf(repository: string, sha: string): Promise<string | null>;
  /** The newest issue of any state that we opened ourselves and whose body is meant; pull requests are none. */
  findIssue(repository: string, isMeant: (body: string) => boolean): Promise<Issue | null>;
  /** Null when it was deleted. */
  issue(repository: string, number: number): Promise<Issue | null>;
  /** Tried once only: the answer may have been lost on its way, and `findIssue` tells. */
  createIssue(
    repository: string,
    request: { readonly title: string; readonly body: string; readonly labels: readonly string[] },
  ): Promise<Issue>;
  updateIssue(
    repository: string,
    number: number,
    change: { readonly title?: string; readonly body?: string; readonly state?: "open" | "closed" },
  ): Promise<Issue>;
  /** Head commit of a branch, or null. */
  branchHead(repository: string, branch: string): Promise<string | null>;
  deleteBranch(repository: string, branch: string): Promise<void>;
}

/** One line of a file that a check run marks. */
export interface CheckAnnotation {
  readonly path: string;
  /** 1-based, both ends included. */
  readonly startLine: number;
  readonly endLine: number;
  readonly level: "notice" | "warning" | "failure";
  readonly title: string;
  readonly message: string;
}

export type CheckConclusion = "success" | "neutral" | "failure" | "action_required";

/** What a commit is told by us; one for each name and `externalId`. */
export interface CheckRunRequest {
  readonly sha: string;
  readonly name: string;
  readonly externalId: string;
  readonly conclusion: CheckConclusion;
  readonly title: string;
  /** Markdown, at most 65,535 characters each. */
  readonly summary: string;
  readonly text?: string;
  /** Any number: sent in pages of 50. */
  readonly annotations: readonly CheckAnnotation[];
}

export interface CheckRun {
  readonly id: number;
  readonly url: string;
  readonly name: string;
  readonly externalId: string;
  readonly sha: string;
  readonly conclusion: string;
  readonly completedAt: string;
  readonly title: string;
  readonly summary: string;
  readonly text: string;
  /** How many lines it marks. */
  readonly annotations: number;
  /** Slug of the App that made it: whoever may write checks may write any text. */
  readonly app: string;
}

export interface Comment {
  readonly id: number;
  readonly url: string;
  readonly author: string;
  /** Written by an App or a bot account. */
  readonly bot: boolean;
  readonly body: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What drift, reviews and chat need of GitHub beside `CodeHost`. Throws StanchError `code-host` with a hint. */
/** An issue whose body somebody else may have written since: whoever may triage may edit it. */
export interface WrittenIssue extends Issue {
  /** Login, as it stands at comments, of who wrote this very body; null where that is not known. */
  readonly writtenBy: string | null;
}

export interface ReviewHost {
  /**
   * Makes the check run or, when we made one of this name and `externalId` for the commit, writes it anew; nothing is written when it says
   * the same already. It is completed last, so that a crash between two pages of annotations leaves nothing that is read. Throws `forbidden`
   * when these credentials may not write check runs, which only a GitHub App may: say it by `publishStatus` then.
   */
  publishCheck(repository: string, request: CheckRunRequest): Promise<CheckRun>;
  /** The newest completed check run of a name on a commit or branch; null when there is none. `app`: only what this App (slug) made. */
  readCheck(
    repository: string,
    at: { readonly ref: string; readonly name: string; readonly externalId?: string; readonly app?: string },
  ): Promise<CheckRun | null>;
  /**
   * A commit status: what a token without the right to write checks can say. `description` at most 140 characters. Nothing is written when
   * the last one of the context says the same.
   */
  publishStatus(
    repository: string,
    status: {
      readonly sha: string;
      readonly context: string;
      readonly state: "success" | "failure" | "error" | "pending";
      readonly description: string;
      readonly url?: string;
    },
  ): Promise<void>;
  /** Commits of a branch or revision, newest first, at most 100: their ids. */
  recentCommits(repository: string, ref: string, limit: number): Promise<readonly string[]>;
  /** The newest issue of any state that this login opened and whose body is meant, and who wrote that body last. */
  issueBy(repository: string, login: string, isMeant: (body: string) => boolean): Promise<WrittenIssue | null>;
  /**
   * All comments of an issue or pull request, every page, oldest first. `since` (RFC 3339): only what was written or edited at or after
   * that moment.
   */
  allComments(repository: string, number: number, since?: string): Promise<readonly Comment[]>;
  createComment(repository: string, number: number, body: string): Promise<Comment>;
  updateComment(repository: string, id: number, body: string): Promise<void>;
  deleteComment(repository: string, id: number): Promise<void>;
  /**
   * What a person may do in the repository: `admin`, `maintain`, `write`, `triage`, `read` or `none`; of an organisation's own role, what
   * it stands on.
   */
  permissionOf(repository: string, login: string): Promise<string>;
  /** Our own login, as it stands at comments. */
  login(repository: string): Promise<string>;
}

/** Something to look at that the model may ask us for. `input` is a JSON Schema of its parameters. */
export interface AdvisorTool {
  readonly name: string;
  readonly description: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface AdvisorCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

export type AdvisorTurn =
  | { readonly role: "user"; readonly text: string }
  | {
      readonly role: "results";
      readonly results: readonly { readonly call: string; readonly text: string; readonly failed?: boolean }[];
    }
  /** What the model said, as it said it: given back as it is. */
  | { readonly role: "model"; readonly content: readonly Json[] };

export interface AdvisorRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max";
  /** Blocks of the system prompt; the first is the same for every question, and cached with the tools. */
  readonly system: readonly string[];
  readonly tools: readonly AdvisorTool[];
  readonly turns: readonly AdvisorTurn[];
  /** JSON Schema of the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/** Tokens of one request. `inputTokens` are those that neither came from the cache nor went into it. */
export interface AdvisorUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

export interface AdvisorReply {
  readonly stop: "end" | "calls" | "length" | "refusal" | "pause";
  readonly text: string;
  readonly calls: readonly AdvisorCall[];
  readonly content: readonly Json[];
  readonly usage: AdvisorUsage;
}

/** Why there is no reply. */
export interface AdvisorFault {
  readonly kind: "rate-limit" | "overloaded" | "unreachable" | "timeout" | "cut" | "refused" | "unreadable";
  /** For people; nothing of the request or the answer is in it. */
  readonly message: string;
  /** Milliseconds that the API asks to wait. */
  readonly retryAfterMs?: number;
  /** `nothing` only where it was never sent or was refused; otherwise it may have been worked on, whatever came back. */
  readonly billed: "nothing" | "unknown";
}

/** A model, asked one request at a time, without retries of its own. */
export interface Advisor {
  ask(
    request: AdvisorRequest,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly reply: AdvisorReply } | { readonly fault: AdvisorFault }>;
}

/** What a check command did in its sandbox. */
export type CheckResult =
  | {
      readonly ran: true;
      /** Its exit status; null when it was ended by a signal. */
      readonly exit: number | null;
      /** It was ended because its time was over. */
      readonly timedOut: boolean;
      /** The end of what it wrote, both streams together as they came: untrusted text, bounded. */
      readonly output: string;
      readonly ms: number;
    }
  | {
      readonly ran: false;
      /** Why it could not be run, as a sentence without a full stop. */
      readonly reason: string;
    };

/** Runs a program of strangers where it can do no harm: no network, no credentials, no files but its own, within bounds. */
export interface Sandbox {
  /** Why no sandbox can be made here, as a sentence without a full stop; null: it can, as far as was tried. Asked once a process. */
  unavailable(): Promise<string | null>;
  /**
   * Runs a command (no shell) in a directory, which it may write to, and of which nothing else is to be kept. Never throws: what goes wrong is
   * an answer. Everything that the command started has ended when it returns.
   */
  run(request: {
    /** Absolute path. */
    readonly directory: string;
    readonly command: readonly string[];
    readonly timeoutMs: number;
    /** Bytes of output that are kept: its end. */
    readonly outputBytes: number;
  }): Promise<CheckResult>;
}

/** Who is told. Never throws: what goes wrong is an answer. */
export interface Receiver {
  /** Of `notify.receivers`. */
  readonly name: string;
  /** Sends a message; under `thread` where the receiver has threads. `signal` bounds the time. */
  send(notice: Notice, thread: NoticeThread | undefined, signal: AbortSignal): Promise<Delivery>;
  /** Makes a thread's first message say what is so now. Absent: the receiver has no threads. */
  show?(notice: Notice, thread: NoticeThread, signal: AbortSignal): Promise<Delivery>;
  /** Reachable, and its secrets are there and taken, as far as that is to be known without sending anything: a sentence, or what is wrong. */
  check(signal: AbortSignal): Promise<{ readonly ok: boolean; readonly text: string; readonly fix?: string }>;
}

export interface Clock {
  now(): Date;
  /** Milliseconds. */
  sleep(ms: number): Promise<void>;
}

/** Constant message, facts beside it. Never secrets, prompts or pod logs. */
export interface Log {
  debug(message: string, facts?: Record<string, unknown>): void;
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
  /** What is being done now, for a terminal; nothing in a pipe. */
  progress(text: string): void;
}
