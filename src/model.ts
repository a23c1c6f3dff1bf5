/**
 * Every type that passes between steps. Read this first: the words here are the words of the logs, the incident, the
 * pull request and the documentation.
 *
 * Everything is plain data that survives `JSON.stringify` and back, because the incident stores it. An absent key means
 * "the field is not set"; `null` means JSON's null.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A Kubernetes object as the API server sends it, with `apiVersion` and `kind` always present. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFields[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

export interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: string;
  fieldsV1?: Json;
}

/** Names one object. `namespace` is "" for cluster-scoped objects. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * One step of a path into an object: a map key, a list index, or a list item named by its merge key
 * (`{ by: "name", value: "app" }`). Items are named and not counted because a webhook may have put a sidecar first.
 */
export type PathStep = string | number | { readonly by: string; readonly value: string | number };
export type FieldPath = readonly PathStep[];

/**
 * One field of one object: `from` → `to`. Knows no files. An absent `from` means the field was not set; an absent `to`
 * means that it is removed. `from` and `to` may be whole subtrees (a list item that appears or goes).
 */
export interface Change {
  readonly object: ObjectRef;
  readonly path: FieldPath;
  readonly from?: Json;
  readonly to?: Json;
}

// ── observe ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What one scan read from the cluster: only what is suspicious, in full; of the healthy rest only counts. */
export interface Snapshot {
  readonly takenAt: string;
  /** Workloads that show or may show a symptom, with everything a detector needs to know about them. */
  readonly workloads: readonly Workload[];
  /** Services with a selector and no ready endpoint. */
  readonly services: readonly ServiceState[];
  /** Ports of Services, changed lately, behind which nothing listens. */
  readonly ports: readonly PortState[];
  /** PersistentVolumeClaims that are not bound. */
  readonly claims: readonly ClaimState[];
  /** Autoscalers and GitOps objects whose own conditions say that they fail, and Ingresses that lead nowhere. */
  readonly failing: readonly FailingState[];
  /** Manifests that recent commits changed and that the API server refuses; empty where no source is configured. */
  readonly refused: readonly RefusedState[];
  /** Running programs that complain of what a recent commit changed. */
  readonly complaints: readonly ComplaintState[];
  /** Objects in which a recent commit took away what others still ask for. */
  readonly cutOffs: readonly CutOffState[];
  /** Names and keys of ConfigMaps and Secrets in the namespaces where a reference failed, by namespace. */
  readonly configs: Readonly<Record<string, ConfigInventory>>;
  /** Nodes, where it was needed (a pod that cannot be scheduled); empty when they could not be read. */
  readonly nodes: readonly NodeState[];
  /** What was counted on the way. */
  readonly counts: {
    readonly pods: number;
    readonly workloads: number;
    readonly namespaces: number;
    readonly calls: number;
  };
  /** Parts of the cluster that could not be read. While not empty, nothing may be called resolved. */
  readonly gaps: readonly string[];
}

/** The top owner of pods: a Deployment, StatefulSet, DaemonSet, Job, CronJob, or a Pod that nobody owns. */
export interface Workload {
  readonly ref: ObjectRef;
  /** The live object, as read. */
  readonly object: KubeObject;
  /** Its revisions, newest first: ReplicaSets of a Deployment, ControllerRevisions of the others. */
  readonly revisions: readonly Revision[];
  /** Its suspicious pods (at most `observe.podsPerWorkload`), the newest revision's first. */
  readonly pods: readonly PodState[];
  /** How many pods it has, and how many of them are ready. */
  readonly podCount: number;
  readonly readyCount: number;
  /** Warning events on the workload, its revisions and its pods, newest first, bounded. */
  readonly events: readonly EventState[];
  /** LimitRanges and ResourceQuotas of its namespace (only when it was needed). */
  readonly limits?: NamespaceLimits;
  /** The largest allocatable memory of a schedulable node, in bytes (only when it was needed). */
  readonly largestNodeBytes?: number;
}

export interface Revision {
  /** ReplicaSet or ControllerRevision. */
  readonly name: string;
  /** `deployment.kubernetes.io/revision` or `ControllerRevision.revision`; higher is newer. */
  readonly number: number;
  readonly createdAt: string;
  /** The pod template of this revision, without `pod-template-hash`. */
  readonly template: Json;
  /** Pods of this revision that are wanted, exist and are ready right now. */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** The revision that the workload's template asks for now. */
  readonly current: boolean;
}

/** A pod, projected to what detectors need. */
export interface PodState {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
  readonly node?: string;
  readonly phase: string;
  /** `status.reason`, such as Evicted. */
  readonly reason?: string;
  readonly message?: string;
  readonly deleting: boolean;
  readonly ready: boolean;
  /** Name of the revision that it belongs to, when known. */
  readonly revision?: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason?: string;
    readonly message?: string;
    readonly since?: string;
  }[];
  readonly containers: readonly ContainerState[];
  /** Pods that a controller above it must not count, such as a finished Job's. */
  readonly restartPolicy: string;
}

export interface ContainerState {
  readonly name: string;
  readonly init: boolean;
  readonly image: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restarts: number;
  readonly waiting?: { readonly reason: string; readonly message: string };
  readonly running?: { readonly startedAt: string };
  readonly terminated?: Termination;
  /** The end of the run before this one. */
  readonly last?: Termination;
}

export interface Termination {
  readonly reason: string;
  readonly exitCode: number;
  readonly signal?: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly message?: string;
}

export interface EventState {
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly on: ObjectRef;
}

export interface NodeState {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Quantities by resource name. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  readonly unschedulable: boolean;
}

export interface ServiceState {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  /** Pods of the namespace that the selector matches (ready or not). */
  readonly matching: number;
}

/** A port of a Service that leads nowhere though its pods are ready. */
export interface PortState {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  /** The target port as it is resolved: a number, or a name that none of its pods gives a port. */
  readonly target: string | number;
  /** TCP ports that containers of its pods declare. */
  readonly declared: readonly number[];
  readonly message: string;
  /** When the Service was last changed. */
  readonly since: string;
}

export interface ClaimState {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly events: readonly EventState[];
}

/** An object that manages others or leads to them, and what it fails at. */
export interface FailingState {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly message: string;
  readonly since?: string;
}

/** What Git says of an object and the API server refuses, with what a commit made it from. */
export interface RefusedState {
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly before: KubeObject;
  readonly commit: Commit;
  readonly message: string;
}

/** A program that runs and says in its log that something is wrong which a recent commit changed. */
export interface ComplaintState {
  /** The workload. */
  readonly ref: ObjectRef;
  readonly object: KubeObject;
  readonly container: string;
  /** What it says, redacted. */
  readonly lines: readonly string[];
  readonly commit: Commit;
  /** Since when the container runs. */
  readonly since: string;
}

/** A Service or NetworkPolicy in which a recent commit took away what declared clients still ask for. */
export interface CutOffState {
  readonly ref: ObjectRef;
  /** Null: the commit took the object itself away. */
  readonly object: KubeObject | null;
  readonly commit: Commit;
  readonly message: string;
  readonly clients: readonly ObjectRef[];
  /** What a NetworkPolicy lets through no more. */
  readonly flows: readonly Flow[];
  /** What a Role or RoleBinding gives no more, and to whom. */
  readonly rights: readonly Denial[];
  /** Paths of the object's own fields in which the loss lies (`formatPath`). */
  readonly fields?: readonly string[];
}

/** A right that a ServiceAccount is denied in a namespace. */
export interface Denial {
  readonly account: { readonly namespace: string; readonly name: string };
  readonly verb: string;
  readonly group: string;
  /** With its subresource: `pods/log`. */
  readonly resource: string;
  readonly namespace: string;
  /** The object that was asked for, where one was named. */
  readonly name?: string;
}

/** Pods of one namespace that ask others of it, by TCP. */
export interface Flow {
  /** Labels of the pods. */
  readonly from: Readonly<Record<string, string>>;
  readonly to: Readonly<Record<string, string>>;
  /** The port of the pods that are asked. */
  readonly port: number;
}

/** Keys by name. `null`: the object is there, but its keys may not be read (Secrets, unless allowed). */
export interface ConfigInventory {
  readonly configMaps: Readonly<Record<string, readonly string[]>>;
  readonly secrets: Readonly<Record<string, readonly string[] | null>> | null;
}

export interface NamespaceLimits {
  /** The lowest container `max.memory` of the LimitRanges, in bytes. */
  readonly maxMemoryBytes?: number;
  /** The lowest `maxLimitRequestRatio.memory`. */
  readonly maxRatio?: number;
  /** What is left of the tightest `limits.memory` and `requests.memory` quotas, in bytes. */
  readonly quotaLimitsLeftBytes?: number;
  readonly quotaRequestsLeftBytes?: number;
}

// ── detect ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What is wrong, in the terms a remedy needs. One kind for each detector. */
export type Symptom =
  | { readonly kind: "OOMKilled"; readonly limit?: string; readonly request?: string }
  | {
      readonly kind: "CrashLoop";
      readonly exit: ExitClass;
      readonly exitCode: number;
      readonly init: boolean;
      readonly message?: string;
    }
  | {
      readonly kind: "ImagePull";
      readonly cause: "terminal" | "authentication" | "transient";
      readonly image: string;
      readonly message: string;
      readonly init: boolean;
    }
  | {
      readonly kind: "ConfigMissing";
      readonly refKind: "ConfigMap" | "Secret";
      readonly name: string;
      readonly key?: string;
      readonly message: string;
    }
  | { readonly kind: "LivenessKill"; readonly probe: "livenessProbe" | "startupProbe"; readonly message: string }
  | { readonly kind: "InitWaiting"; readonly message: string }
  | { readonly kind: "NotReady"; readonly message: string }
  | { readonly kind: "RolloutStuck"; readonly message: string; readonly oldReady: number }
  | { readonly kind: "PodsRefused"; readonly message: string }
  | { readonly kind: "Unschedulable"; readonly message: string }
  | { readonly kind: "ClaimPending"; readonly message: string }
  | { readonly kind: "NoEndpoints"; readonly message: string }
  | { readonly kind: "ManifestRefused"; readonly message: string }
  | { readonly kind: "Complains"; readonly message: string }
  | {
      readonly kind: "CutOff";
      readonly message: string;
      /** Paths of the only fields of the object in which the loss lies, where it lies in its own (`formatPath`). */
      readonly fields?: readonly string[];
    }
  | { readonly kind: "WrongPort"; readonly message: string; readonly targets: readonly (string | number)[] }
  | { readonly kind: "BrokenRoute"; readonly message: string }
  | { readonly kind: "ScalingInactive"; readonly message: string }
  | { readonly kind: "SyncFailed"; readonly message: string };

export type SymptomKind = Symptom["kind"];

/** What an exit says: the program itself (1), command not found or not executable (126/127/StartError), killed (137), fault (139), terminated (143). */
export type ExitClass = "application" | "command" | "killed" | "fault" | "terminated" | "completed";

/** One symptom on one workload: fifty pods are one finding. */
export interface Finding {
  readonly detector: string;
  /** The top owner, never a ReplicaSet or one of its pods. */
  readonly workload: ObjectRef;
  readonly container?: string;
  readonly symptom: Symptom;
  /** One sentence for people. */
  readonly summary: string;
  readonly evidence: readonly Evidence[];
  /** When the symptom was first seen in the cluster's own data. */
  readonly since: string;
  /** Pods that show it. */
  readonly pods: number;
  /** Stable over runs, pods, tags and numbers: sha256 of detector, owner, container and symptom kind, 16 hex digits. */
  readonly fingerprint: string;
  /** Not yet to be acted on, and why (debounce, a rollout younger than its deadline, transient). Absent: ripe. */
  readonly unripe?: string;
}

/** A fact with an id that a diagnosis and the report can cite. Text is already bounded and redacted. */
export interface Evidence {
  readonly id: string;
  readonly kind: "status" | "event" | "log" | "spec" | "history" | "registry" | "git";
  readonly text: string;
  readonly at?: string;
}

// ── diagnose, plan ───────────────────────────────────────────────────────────────────────────────────────────────────

export type Risk = "low" | "medium" | "high";

/** A remedy of the catalogue with its parameters. */
export interface Choice {
  readonly remedy: string;
  readonly params: { readonly [name: string]: Json };
}

/** The cause of a finding, who said so, and the remedy it calls for. */
export interface Diagnosis {
  readonly finding: Finding;
  /** One or two sentences: what is wrong and what proves it. */
  readonly cause: string;
  readonly by: "rule" | "model";
  /** In the order in which they should be tried. Empty: a person is needed. */
  readonly choices: readonly Proposal[];
  /** Why remedies were not chosen; each names what a person must decide. */
  readonly rejected: readonly { readonly remedy: string; readonly reason: string }[];
}

/** A remedy that says it can help, with what proves it. */
export interface Proposal extends Choice {
  /** Why this and not another; cites evidence by id. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  /** The commit that brought the fault in, when Git's history shows it. */
  readonly culprit?: Commit;
  /** A model chose it; absent: a rule proved it. */
  readonly by?: "model";
}

export interface Plan {
  readonly finding: Finding;
  readonly choice: Proposal;
  readonly risk: Risk;
  /** What changes in the object, live and in Git alike. May be empty for a live-only action. */
  readonly changes: readonly Change[];
  /** What is done live and is no change of a field. */
  readonly action?: LiveAction;
  /** Why the live half is impossible (the field is immutable, the object is not live): Git only. */
  readonly gitOnly?: string;
  /** It heals nothing: it stops the harm while the cause is the program's, and nothing in Git is to say it. */
  readonly contains?: Containment;
  /** The change in one line, for titles and logs: `raise memory limit 64Mi → 128Mi`. */
  readonly title: string;
}

/** What is contained: while the template is this one, the cause stays. */
export interface Containment {
  /** Digest of the workload's pod template (`templateDigest`). */
  readonly template: string;
  /** Pods that are acted on, by uid: a name may come back. Empty: the workload itself is. */
  readonly pods: readonly string[];
}

/** What was done to contain an incident. */
export interface ContainmentRow extends Containment {
  readonly remedy: string;
  readonly title: string;
  readonly at: string;
}

/** A live action that leaves no trace in the object's spec. `command`: as the configuration says it, word by word. */
export type LiveAction =
  | { readonly kind: "evict"; readonly pods: readonly string[] }
  | {
      readonly kind: "exec";
      readonly pods: readonly string[];
      readonly container: string;
      readonly command: readonly string[];
      /** Milliseconds for each pod. */
      readonly timeout: number;
    };

/** The guard's answer, always with the rule that gave it and a sentence. */
export type Verdict =
  | { readonly decision: "live"; readonly notes: readonly string[] }
  | { readonly decision: "git-only"; readonly rule: string; readonly reason: string }
  | { readonly decision: "refuse"; readonly rule: string; readonly reason: string };

// ── act, verify ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: "test" | "add" | "replace"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string };

/** The applied live change and its undo. */
export interface Hotfix {
  readonly changes: readonly Change[];
  readonly action?: LiveAction;
  readonly contains?: Containment;
  readonly appliedAt: string;
  /** resourceVersion and generation of each changed object right after the write, by `kind/namespace/name`. */
  readonly objects: Readonly<
    Record<string, { readonly resourceVersion: string; readonly generation: number; readonly uid: string }>
  >;
  /** An undo was decided, and why. Written before the undo, so that a crash in between is repaired. */
  readonly undo?: { readonly at: string; readonly reason: string };
  readonly undoneAt?: string;
}

/**
 * What keeps a GitOps engine from taking a live change back. `none`: nothing would. `argocd-fields`: the owner was told to respect our
 * fields. `flux-object`, `flux-drift`: an annotation on the object. `argocd-skip`, `flux-suspend`: the owner rests as a whole.
 */
export type HoldKind = "none" | "argocd-fields" | "flux-object" | "flux-drift" | "argocd-skip" | "flux-suspend";

/** A bounded suspension of GitOps reconciliation for one object, or for what deploys it. */
export interface Hold {
  readonly kind: HoldKind;
  /** The object that is held. */
  readonly object: ObjectRef;
  /** The engine's object that deploys it; absent where there is none to read (a plain Helm release). */
  readonly owner?: ObjectRef;
  /** Who deploys it and what that means for the live change, in one sentence. */
  readonly reason: string;
  readonly takenAt: string;
  readonly expiresAt: string;
  /** What the hold writes, with `from` as it was: an annotation of the object, or a field of its owner. Empty: nothing. */
  readonly changes: readonly Change[];
  /** Set only after it was seen to be gone. */
  readonly releasedAt?: string;
  readonly releaseReason?: string;
}

export interface Verification {
  readonly result: "recovered" | "unchanged" | "worse" | "not-tried";
  /** What was seen, in one sentence. */
  readonly seen: string;
  readonly seconds: number;
}

// ── locate, edit, prove ──────────────────────────────────────────────────────────────────────────────────────────────

/** Where an object comes from, and everything that its renderer must know. */
export interface Source {
  /** Unique and stable: `owner/name:path@branch`, with the owner when an engine deploys it. */
  readonly id: string;
  /** `owner/name` on the code host. */
  readonly repository: string;
  readonly branch: string;
  /** The render root inside the repository, "." for its top. */
  readonly path: string;
  readonly tool: "plain" | "kustomize" | "helm";
  /** The namespace that the deployer fills in where an object names none. */
  readonly namespace?: string;
  /** Of a Helm source: how the chart is installed. */
  readonly helm?: HelmSettings;
  /** The chart lies in a Helm repository or registry and not in Git: nothing of it can be edited. */
  readonly remote?: RemoteChart;
  /** What the owner lays over a Kustomize root (or a folder of manifests): an input of that form, and whose rules hold. */
  readonly overlay?: { readonly input: string; readonly dialect: "argocd" | "flux" };
  /** Which files of a folder of manifests are taken; absent: all below it. */
  readonly folder?: FolderSettings;
  /**
   * Flux's `postBuild`: names of inputs that hold a map of variables, the last wins; `open`: there are variables that are not known;
   * `always`: defaults are put in even where there are no variables (`substituteStrategy: Always`).
   */
  readonly substitute?: { readonly inputs: readonly string[]; readonly open: boolean; readonly always?: boolean };
  /** Labels and annotations that the owner puts on everything (Flux's `commonMetadata`). */
  readonly common?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** Texts that the source is rendered from and that are no files of its repository, by name (`inputName`). */
  readonly inputs?: Readonly<Record<string, Input>>;
  readonly owner: SourceOwner;
}

/** A text that a source is rendered from and that stands elsewhere: in the object that deploys it, in a ConfigMap, in another repository. */
export interface Input {
  readonly text: string;
  /** What it is, for people: `HelmRelease shop/cart spec.values`. */
  readonly label: string;
  readonly home: InputHome;
}

/**
 * `value`: the text is the field's value written as YAML. `text`: the field is a string, and this is it. `entry`: the field is a
 * string, and the text is a YAML map with one entry whose value it is.
 */
export type InputHome =
  | { readonly object: ObjectRef; readonly path: readonly (string | number)[]; readonly as: "value" | "text" | "entry" }
  | { readonly repository: string; readonly branch: string; readonly file: string };

/** A chart of a Helm repository (`https://…`) or of an OCI registry (`oci://…`), at one version. */
export interface RemoteChart {
  readonly url: string;
  readonly chart: string;
  readonly version: string;
}

export interface HelmSettings {
  readonly release: string;
  /** Values in order, the last wins: files of the repository, and names of inputs. */
  readonly values: readonly string[];
  /** Names of inputs that hold Argo CD `parameters` (a list of `name`, `value`, `forceString`), the last wins; they win over values. */
  readonly parameters?: readonly string[];
  /** Names of inputs that hold a map from a values path (`a.b[0]`) to a text: Flux's `valuesFrom` with `targetPath`. */
  readonly targets?: readonly string[];
  readonly skipCrds?: boolean;
  /** The chart's own `values.yaml` is not read: Flux's `valuesFiles` stand in its place. */
  readonly noDefaults?: boolean;
  /** Names of inputs of the form of a kustomization (`patches`, `images`): Flux's `postRenderers`, in order. */
  readonly post?: readonly string[];
}

/** Argo CD's `directory`; Flux takes everything below, and Kustomize roots below it as such. */
export interface FolderSettings {
  readonly recurse: boolean;
  /** Globs as Argo CD takes them: `*.yaml`, `{a,b}.yaml`. */
  readonly include?: string;
  readonly exclude?: string;
  /** Folders with a kustomization below it are built and taken in, as Flux does. */
  readonly nested?: boolean;
}

/** Who deploys a source. */
export interface SourceOwner {
  readonly kind: "configuration" | "argocd" | "flux";
  /** For people: `stanch.yaml`, `Application argocd/shop`, `Kustomization flux-system/apps`, `HelmRelease shop/cart`. */
  readonly name: string;
  /** The object that deploys it. */
  readonly ref?: ObjectRef;
  /** Commit that the engine has deployed last, as far as it says so. */
  readonly deployed?: string;
  /** It deploys a tag, a version or a commit: what is merged does not come by itself. */
  readonly pinned?: string;
  /** What is merged into the repository comes only when `version` in this file rises (a chart in Git that Flux takes by its version). */
  readonly versionFile?: string;
  /** It does not deploy by itself now: Flux's `suspend`, Argo CD without automated sync. */
  readonly suspended?: boolean;
  /** It deploys to another cluster, or to one that it names in a way that does not tell: what it renders need not be what runs here. */
  readonly elsewhere?: true;
  /** The ApplicationSet that makes the owner, which would take changes of it back. */
  readonly generatedBy?: ObjectRef;
}

/** The file, document and text range whose edit produces a Change. */
export interface Location {
  readonly change: Change;
  readonly file: string;
  /** 1-based, in the file before the edit. */
  readonly line: number;
  /** The layer that holds it: `manifest`, `kustomize images`, `kustomize patch`, `revert of 1a2b3c4`, … */
  readonly via: string;
}

export interface FileEdit {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export type Located =
  | {
      readonly found: true;
      readonly source: Source;
      readonly revision: string;
      readonly locations: readonly Location[];
      readonly edits: readonly FileEdit[];
      readonly renders: number;
    }
  | { readonly found: false; readonly reason: string; readonly hint: string };

export type CheckId = "P1" | "P2" | "P3" | "P4" | "P5" | "P6";

export interface Check {
  readonly id: CheckId;
  readonly result: "passed" | "failed" | "not-run";
  /** What was checked, and what was seen, in one sentence. */
  readonly text: string;
}

/** The checks that passed and failed for the edits; research: P1 to P6. */
export interface Proof {
  readonly checks: readonly Check[];
  /** No check failed, and none that matters was not run. */
  readonly complete: boolean;
  /** Other render roots whose output changes, with the objects that change in them. */
  readonly blast: readonly { readonly root: string; readonly objects: readonly string[] }[];
  /** Roots that were rendered again. */
  readonly rootsChecked: number;
  /** Programs used, with versions. */
  readonly tools: readonly string[];
}

export interface Commit {
  readonly sha: string;
  readonly author: string;
  readonly email: string;
  readonly at: string;
  readonly subject: string;
}

// ── propose, record ──────────────────────────────────────────────────────────────────────────────────────────────────

export interface PullRequestRef {
  readonly repository: string;
  readonly number: number;
  readonly url: string;
  readonly branch: string;
  readonly base: string;
  readonly head: string;
  readonly draft: boolean;
}

export interface IssueRef {
  readonly repository: string;
  readonly number: number;
  readonly url: string;
}

export type Phase =
  | "Detected"
  | "Diagnosed"
  | "Acting"
  | "Hotfixed"
  | "Verified"
  | "Contained"
  | "Proposed"
  | "Merged"
  | "Resolved"
  | "RolledBack"
  | "Escalated"
  | "Silenced";

/** What one run did about one finding or one open incident. Printed, recorded, counted and tested. */
export interface Outcome {
  readonly kind:
    | "watching"
    | "reported"
    | "proposed"
    | "updated"
    | "hotfixed"
    | "contained"
    | "escalated"
    | "refused"
    | "rolled-back"
    | "resolved"
    | "merged"
    | "closed"
    | "waiting"
    | "failed";
  readonly workload: ObjectRef;
  readonly symptom: SymptomKind;
  readonly incident?: string;
  /** One sentence that a person can act on. */
  readonly message: string;
  readonly pullRequest?: string;
  /** A model's draft fix of the program. */
  readonly codeFix?: string;
  readonly changes?: readonly Change[];
}

// ── notify ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export type Severity = "info" | "warning" | "critical";

/** What a message is about. `summary`: more than one receiver is told in a run; `test`: asked for on the command line. */
export type NoticeEvent =
  | "hotfix-applied"
  | "hotfix-undone"
  | "contained"
  | "pull-request-opened"
  | "escalated"
  | "expiring"
  | "waiting"
  | "closed"
  | "merged"
  | "resolved"
  | "storm"
  | "run-failing"
  | "finding"
  | "summary"
  | "test";

/** One message for people or programs. Its texts are redacted, bounded and on one line, and still untrusted: a receiver escapes them. */
export interface Notice {
  /** The same for the same event, however often it has to be sent. */
  readonly id: string;
  readonly event: NoticeEvent;
  readonly severity: Severity;
  /** When it happened. */
  readonly at: string;
  readonly cluster: string;
  readonly title: string;
  readonly text: string;
  readonly incident?: NoticeIncident;
  /** What happened before and was not told on its own. */
  readonly earlier: readonly { readonly event: NoticeEvent; readonly at: string; readonly text: string }[];
  /** One for each workload, in messages about many. */
  readonly lines: readonly string[];
  /** Only where `notify.evidence` asks for it. */
  readonly evidence: readonly string[];
}

/** An incident as it stands when it is told. */
export interface NoticeIncident {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: Phase;
  readonly workload: ObjectRef;
  readonly container?: string;
  readonly symptom: SymptomKind;
  readonly summary: string;
  readonly cause?: string;
  readonly detectedAt: string;
  readonly recurrences: number;
  readonly hotfix?: {
    readonly title: string;
    readonly appliedAt: string;
    readonly standing: boolean;
    /** When it is taken back at the latest. */
    readonly expiresAt?: string;
  };
  readonly pullRequest?: PullRequestRef;
  readonly issue?: IssueRef;
  /** A model's draft fix of the program, in its own repository. */
  readonly codeFix?: PullRequestRef;
  readonly mergeCommit?: string;
}

/** A message under which the others of the same incident hang. */
export interface NoticeThread {
  readonly channel: string;
  readonly ts: string;
}

/**
 * What came of a message. `skipped`: there is nobody to tell, now or later; `failed`: the next run tries again, not before `retryAfter`
 * (milliseconds) when the receiver said so.
 */
export type Delivery =
  | { readonly outcome: "sent"; readonly thread?: NoticeThread }
  | { readonly outcome: "skipped"; readonly reason: string }
  | { readonly outcome: "failed"; readonly reason: string; readonly retryAfter?: number };
