import { z } from "zod";
import { listAt, mapAt, textAt } from "../kube/fields.ts";
import { compareQuantities, parseQuantity } from "../kube/quantity.ts";
import type { Change, FieldPath, Finding, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";

const DEFAULT = "storageclass.kubernetes.io/is-default-class";
/** Older than the field, and stronger where it stands. */
const OLD = "volume.beta.kubernetes.io/storage-class";

/**
 * A claim asks for a StorageClass that the cluster does not have. It is pointed to the one that it is a typo of, to the only one
 * there is, or to the cluster's default, which is what a claim that names none would get. Claims cannot be changed while they
 * exist, and nothing was ever stored in one that was never bound: Git only.
 */
export const correctStorageClass = defineRemedy({
  id: "correct-storage-class",
  summary:
    "Points a claim that asks for a StorageClass which does not exist to the one it is a typo of, the only one, or the default.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    from: z.string().min(1).max(253).describe("The class that does not exist."),
    to: z.string().min(1).max(253).describe("The class that is meant."),
  }),
  needs: [],
  reads: [
    { group: "storage.k8s.io", resource: "storageclasses", verb: "list" },
    { group: "", resource: "persistentvolumes", verb: "list" },
  ],
  looks: () => ["StorageClass", "PersistentVolume"],
  async diagnose(finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return no(meant.reason);
    return {
      applies: true,
      params: { from: meant.from, to: meant.to },
      reason: `The cluster has no StorageClass "${meant.from}"; "${meant.to}" is ${meant.why}.`,
      evidence: [fact("spec", `StorageClasses: ${meant.known.slice(0, 20).join(", ")}`)],
    };
  },
  plan({ from, to }, finding, context) {
    const meant = meantBy(finding, context);
    if ("reason" in meant) return refuse(meant.reason);
    if (from !== meant.from || to !== meant.to) return refuse(`StorageClass ${to} is not what is meant by ${from}`);
    const changes = meant.places.map((path): Change => ({ object: finding.workload, path, from, to }));
    const gitOnly = immutableBecause(changes, () => meant.live);
    return {
      possible: true,
      changes,
      title: `point StorageClass ${from} → ${to}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

interface Meant {
  readonly live: KubeObject;
  readonly from: string;
  readonly to: string;
  readonly why: string;
  readonly known: readonly string[];
  readonly places: readonly FieldPath[];
}

/** The class that is meant, as the cluster's objects prove it now; or what a person must decide. */
function meantBy(finding: Finding, context: PlanContext): Meant | { readonly reason: string } {
  const live = context.live(finding.workload);
  if (finding.symptom.kind !== "ClaimPending" || live === null) return { reason: "no claim waits for a volume" };
  const classes = context.others("StorageClass", "");
  if (classes === null) return { reason: "StorageClasses cannot be read; grant list on storageclasses.storage.k8s.io" };
  const known = classes.map((item) => item.metadata.name);
  const missing = claimsOf(live).filter(({ name }) => !known.includes(name));
  const names = [...new Set(missing.map(({ name }) => name))];
  const [from, other] = names;
  if (from === undefined)
    return {
      reason:
        "its StorageClass exists: the provisioner, the volume or the topology is at fault. A person must look at the events",
    };
  if (other !== undefined) return { reason: `it asks for several classes that do not exist: ${names.join(", ")}` };
  const bound = missing.map(({ claim }) => bindingOf(claim)).find((what) => what !== null);
  if (bound !== undefined)
    return {
      reason: `the claim ${bound}, so that its class "${from}" may be that of a volume and need no StorageClass. A person must say which volume is meant`,
    };
  const waiting = (context.others("PersistentVolume", "") ?? []).find(
    (volume) => textAt(volume, "status", "phase") === "Available" && missing.some(({ claim }) => fits(volume, claim)),
  );
  if (waiting !== undefined)
    return {
      reason: `volume ${waiting.metadata.name} is free and would fit but for its class "${textAt(waiting, "spec", "storageClassName") ?? ""}". A person must say whether the claim or the volume is wrong`,
    };
  const picked = pick(from, classes);
  return "reason" in picked ? picked : { live, from, known, places: missing.map(({ path }) => path), ...picked };
}

/** Would a volume do for a claim, whatever their classes are? */
function fits(volume: KubeObject, claim: unknown): boolean {
  const [has, asks] = [
    parseQuantity(textAt(volume, "spec", "capacity", "storage")),
    parseQuantity(textAt(claim, "spec", "resources", "requests", "storage")),
  ];
  const modes = listAt(volume, "spec", "accessModes");
  return (
    has !== null &&
    asks !== null &&
    compareQuantities(has, asks) >= 0 &&
    listAt(claim, "spec", "accessModes").every((mode) => modes.includes(mode))
  );
}

function pick(from: string, classes: readonly KubeObject[]): { to: string; why: string } | { reason: string } {
  const known = classes.map((item) => item.metadata.name);
  const near = typoOf(from, known);
  if (near.match !== null) return { to: near.match, why: "the only one that it is a typo of" };
  if (near.near.length > 0)
    return {
      reason: `several StorageClasses are near "${from}": ${near.near.join(", ")}. A person must say which is meant`,
    };
  // What a name promises (speed, encryption, another zone) is not known of the class that is left: the reviewer must know it.
  const unlike = "whether it has what the name promised, such as speed or encryption, is for the reviewer to say";
  const [only, second] = classes;
  if (only !== undefined && second === undefined && provisions(only))
    return { to: only.metadata.name, why: `the only one there is; ${unlike}` };
  const defaults = classes.filter((item) => item.metadata.annotations?.[DEFAULT] === "true");
  const [chosen, another] = defaults;
  if (chosen !== undefined && another === undefined && provisions(chosen))
    return {
      to: chosen.metadata.name,
      why: `the cluster's default, which a claim that names none would get; ${unlike}`,
    };
  return {
    reason: `the cluster has no StorageClass "${from}", and ${known.length === 0 ? "none at all" : `none that is near, alone or the default (${known.slice(0, 20).join(", ")})`}. A person must say which is meant`,
  };
}

/** Does the class make volumes? One without a provisioner only binds those that somebody made for it. */
function provisions(storageClass: KubeObject): boolean {
  return storageClass["provisioner"] !== "kubernetes.io/no-provisioner";
}

/** What ties a claim to one volume or copy, of which nothing but its name is known; null: any volume will do. */
function bindingOf(claim: unknown): string | null {
  if (textAt(claim, "metadata", "annotations", OLD) !== undefined) return `names its class in the annotation ${OLD}`;
  if ((textAt(claim, "spec", "volumeName") ?? "") !== "") return "names its volume";
  if (mapAt(claim, "spec", "selector") !== undefined) return "selects its volume by labels";
  if (mapAt(claim, "spec", "dataSource") ?? mapAt(claim, "spec", "dataSourceRef")) return "is a copy";
  return null;
}

/** A claim, or a StatefulSet's claim templates, with the class that each names. No class ("") is a wish, too: it stays. */
function claimsOf(object: KubeObject): { readonly name: string; readonly path: FieldPath; readonly claim: unknown }[] {
  const all =
    object.kind === "PersistentVolumeClaim"
      ? [{ claim: object as unknown, path: [] as FieldPath }]
      : listAt(object, "spec", "volumeClaimTemplates").map((claim, index) => ({
          claim,
          path: ["spec", "volumeClaimTemplates", index],
        }));
  return all.flatMap(({ claim, path }) => {
    const name = textAt(claim, "spec", "storageClassName") ?? "";
    return name === "" ? [] : [{ name, path: [...path, "spec", "storageClassName"], claim }];
  });
}
