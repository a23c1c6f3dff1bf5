import { kubectl } from "../lab.ts";
import { FAULTS, type Fault } from "./faults.ts";
import type { Tree } from "./trees/tree.ts";

/** The smallest hold of each engine, by hand: what the product is expected to take and to give back. */
export const HOLDS = {
  kustomize: "kustomize.toolkit.fluxcd.io/reconcile",
  helm: "helm.toolkit.fluxcd.io/driftDetection",
} as const;

interface Held {
  readonly metadata: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
  };
}

async function workload(fault: Pick<Fault, "kind" | "namespace">): Promise<Held> {
  const { workload: name } = FAULTS[fault.kind];
  const words = ["-n", fault.namespace, "get", "deployment", name, "-o", "json", "--show-managed-fields"];
  return JSON.parse(await kubectl(words)) as Held;
}

/** The key of the annotation that holds a workload of this tree; null: there field ownership is the hold. */
export function holdKey(tree: Tree): string | null {
  if (tree.engine === "argocd") return null;
  return tree.engines.some((engine) => engine.kind === "HelmRelease") ? HOLDS.helm : HOLDS.kustomize;
}

/** Says what of a hold is missing; null: it is held. */
export async function unheld(tree: Tree, fault: Pick<Fault, "kind" | "namespace">): Promise<string | null> {
  const { metadata } = await workload(fault);
  const key = holdKey(tree);
  if (key !== null && metadata.annotations?.[key] !== "disabled") return `no annotation ${key} at ${fault.namespace}`;
  return owners(metadata).includes("stanch") ? null : `stanch owns nothing of it: ${owners(metadata).join(", ")}`;
}

/** Says what is left of a hold and of Stanch's ownership; null: nothing is. */
export async function leftOver(fault: Pick<Fault, "kind" | "namespace">): Promise<string | null> {
  const { metadata } = await workload(fault);
  const key = Object.values(HOLDS).find((candidate) => metadata.annotations?.[candidate] !== undefined);
  if (key !== undefined) return `annotation ${key} still stands on ${fault.namespace}/${FAULTS[fault.kind].workload}`;
  return owners(metadata).includes("stanch") ? `stanch still owns fields in ${fault.namespace}` : null;
}

function owners(metadata: Held["metadata"]): string[] {
  return (metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined)
    .map((entry) => entry.manager ?? "");
}

/** Takes or gives back the hold by annotation, as this manager. */
export async function annotate(
  tree: Tree,
  fault: Pick<Fault, "kind" | "namespace">,
  value: "disabled" | null,
): Promise<void> {
  const key = holdKey(tree);
  if (key === null) return;
  const { workload: name } = FAULTS[fault.kind];
  await kubectl([
    ...["-n", fault.namespace, "annotate", "deployment", name, "--overwrite", "--field-manager=stanch"],
    value === null ? `${key}-` : `${key}=${value}`,
  ]);
}

/** Gives up the ownership of everything that the manager `stanch` wrote on a workload. */
export async function disown(fault: Pick<Fault, "kind" | "namespace">): Promise<void> {
  const { workload: name } = FAULTS[fault.kind];
  const entries = (await workload(fault)).metadata.managedFields ?? [];
  const patch = entries.flatMap((entry, index) =>
    entry.manager === "stanch" ? [{ op: "remove", path: `/metadata/managedFields/${index}` }] : [],
  );
  if (patch.length === 0) return;
  const words = ["-n", fault.namespace, "patch", "deployment", name, "--type=json", "--field-manager=stanch"];
  await kubectl([...words, "-p", JSON.stringify(patch.toReversed())]);
}
