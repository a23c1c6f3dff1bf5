import { Config, type RemedyId } from "../../src/config/schema.ts";
import { keyOf, refOf } from "../../src/kube/ref.ts";
import type {
  Change,
  Commit,
  ContainmentRow,
  Finding,
  Json,
  KubeObject,
  ObjectRef,
  Plan,
  Snapshot,
  Symptom,
  Workload,
} from "../../src/model.ts";
import { remedies } from "../../src/remedies/index.ts";
import type { PreviousVersion, RemedyContext } from "../../src/remedies/remedy.ts";
import { diagnose } from "../../src/steps/diagnose.ts";
import { plan } from "../../src/steps/plan.ts";
import { ago, snapshot } from "../detectors/snapshot-builder.ts";

/** What a remedy is asked about: one finding of one workload, and what the outside would answer. */
export interface World {
  readonly workload: Workload;
  readonly symptom: Symptom;
  /** Default `app`; null: the finding names none. */
  readonly container?: string | null;
  readonly since?: string;
  /** Other live objects. */
  readonly live?: readonly KubeObject[];
  readonly snapshot?: Partial<Snapshot>;
  /** Tags by repository; absent: the registry cannot be asked. */
  readonly registry?: Readonly<Record<string, readonly string[]>>;
  readonly previous?: readonly PreviousVersion[];
  readonly declared?: readonly KubeObject[];
  /** Objects that a commit took out of Git, by `keyOf`. */
  readonly removed?: Readonly<Record<string, { readonly commit: Commit; readonly before: KubeObject }>>;
  /** Why the API server refuses an object; null: it takes it. */
  readonly refusal?: (object: KubeObject) => string | null;
  readonly raises?: number;
  /** What was done before to contain it. */
  readonly contained?: readonly ContainmentRow[];
  /** What may be looked through; null: nothing may be read. */
  readonly others?: readonly KubeObject[] | null;
  /** What the program answers, by port and path (`8080/health`); absent: nothing. */
  readonly answers?: Readonly<Record<string, number>>;
  readonly settings?: object;
}

export function findingOf(world: World): Finding {
  const { container = "app" } = world;
  return {
    detector: "test",
    workload: world.workload.ref,
    ...(container === null ? {} : { container }),
    symptom: world.symptom,
    summary: "It fails.",
    evidence: [],
    since: world.since ?? ago("10m"),
    pods: 1,
    fingerprint: "0123456789abcdef",
  };
}

export function contextOf(world: World): RemedyContext {
  const objects = new Map(
    [world.workload.object, ...(world.live ?? [])].map((object) => [keyOf(refOf(object)), object]),
  );
  const declared = new Map((world.declared ?? []).map((object) => [keyOf(refOf(object)), object]));
  const tagsOf = (image: string) => world.registry?.[image.replace(/:[^/]*$/, "")];
  return {
    settings: Config.parse({ mode: "remediate", ...world.settings }),
    snapshot: snapshot([world.workload], world.snapshot ?? {}),
    workload: world.workload,
    live: (ref) => objects.get(keyOf(ref)) ?? null,
    registry: {
      async exists(image) {
        if (world.registry === undefined) return { state: "unknown", reason: "no route to it" };
        return { state: tagsOf(image)?.includes(image.split(":").at(-1) ?? "") === true ? "present" : "absent" };
      },
      tags: async (image) => tagsOf(image) ?? null,
      labels: async () => ({ unknown: "no route to it" }),
    },
    credentials: async () => undefined,
    previous: async (ref) =>
      (world.previous ?? []).filter((version) => version.changes.some((change) => keyOf(change.object) === keyOf(ref))),
    removed: async (ref) => world.removed?.[keyOf(ref)] ?? null,
    declared: async (ref) => declared.get(keyOf(ref)) ?? null,
    others: (kind, namespace) =>
      world.others === null
        ? null
        : (world.others ?? []).filter(
            (object) => object.kind === kind && (object.metadata.namespace ?? "") === namespace,
          ),
    ask: async (_container, { port, path }) => world.answers?.[`${port}${path}`] ?? null,
    refusal: async (object) => world.refusal?.(object) ?? null,
    raises: async () => world.raises ?? 0,
    contained: world.contained ?? [],
  };
}

/** The whole way of one remedy: proof, parameters, changes. */
export async function helps(id: RemedyId, world: World) {
  const answer = await remedyOf(id).diagnose(findingOf(world), contextOf(world));
  if (!answer.applies) throw new Error(`it refuses: ${answer.reason}`);
  const planned = await tried(id, answer.params as never, world);
  if (typeof planned === "string") throw new Error(`no plan: ${planned}`);
  // What one remedy proves is what the step offers, unless the step objects itself.
  const diagnosis = await diagnose(findingOf(world), contextOf(world));
  return {
    ...planned,
    reason: answer.reason,
    evidence: answer.evidence,
    offered: diagnosis.choices.map((it) => it.remedy),
  };
}

/** Why a remedy does not help. */
export async function refuses(id: RemedyId, world: World): Promise<string> {
  const answer = await remedyOf(id).diagnose(findingOf(world), contextOf(world));
  if (answer.applies) throw new Error(`it does not refuse: ${JSON.stringify(answer.params)}`);
  return answer.reason;
}

/** What becomes of parameters that somebody else chose: a plan, or the sentence of its refusal. */
export async function tried(
  id: RemedyId,
  params: { readonly [name: string]: Json },
  world: World,
): Promise<Plan | string> {
  const finding = findingOf(world);
  const choice = { remedy: id, params, reason: "", evidence: [] };
  const planned = await plan(
    { finding, cause: "", by: "model", choices: [choice], rejected: [] },
    choice,
    contextOf(world),
  );
  return "refused" in planned ? planned.refused : planned;
}

function remedyOf(id: RemedyId) {
  const found = remedies.find((remedy) => remedy.id === id);
  if (found === undefined) throw new Error(`there is no remedy ${id}`);
  return found;
}

/** A commit that changed an object: from what it is now to what it was. */
export function commit(changes: readonly Change[], over: { readonly age?: string; readonly subject?: string } = {}) {
  return {
    source: {
      id: "acme/shop:apps@main",
      repository: "acme/shop",
      branch: "main",
      path: "apps",
      tool: "plain",
      owner: { kind: "configuration", name: "stanch.yaml" },
    },
    commit: {
      sha: "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567",
      author: "Ada",
      email: "ada@example.com",
      at: ago(over.age ?? "30m"),
      subject: over.subject ?? "Tune",
    },
    changes,
  } satisfies PreviousVersion;
}

export function onWorkload(
  workload: Workload,
  field: readonly Change["path"][number][],
  from?: Json,
  to?: Json,
): Change {
  const path = ["spec", "template", "spec", ...field];
  return { object: workload.ref, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

export const APP = ["containers", { by: "name", value: "app" }] as const;

/** Names that have gone wrong in other programs, and values that no schema should take. */
export const NAMES = ["__proto__", "constructor", "toString", "../../kube-system", "app/../other", "-".repeat(5000)];

export function configMap(name: string, data: Record<string, string>): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "shop" }, data };
}

export function configRef(name: string): ObjectRef {
  return { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name };
}
