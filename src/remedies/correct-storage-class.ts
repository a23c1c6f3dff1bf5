import { z } from "zod";
import { listAt, textAt } from "../kube/fields.ts";
import type { Change, FieldPath, KubeObject } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, refuse } from "./remedy.ts";
import { typoOf } from "./typo.ts";

const DEFAULT = "storageclass.kubernetes.io/is-default-class";

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
  reads: [{ group: "storage.k8s.io", resource: "storageclasses", verb: "list" }],
  async diagnose(finding, context) {
    const { symptom } = finding;
    if (symptom.kind !== "ClaimPending") return no("no claim waits for a volume");
    const live = context.live(finding.workload);
    const asked = new Set(live === null ? [] : placesOf(live).map((place) => place.name));
    const classes = await context.others("StorageClass", "");
    if (classes === null) return no("StorageClasses cannot be read; grant list on storageclasses.storage.k8s.io");
    const known = classes.map((item) => item.metadata.name);
    const missing = [...asked].filter((name) => !known.includes(name));
    const [from, other] = missing;
    if (from === undefined)
      return no(
        "its StorageClass exists: the provisioner, the volume or the topology is at fault. A person must look at the events",
      );
    if (other !== undefined) return no(`it asks for several classes that do not exist: ${missing.join(", ")}`);
    const picked = pick(from, classes);
    if ("reason" in picked) return no(picked.reason);
    return {
      applies: true,
      params: { from, to: picked.to },
      reason: `The cluster has no StorageClass "${from}"; "${picked.to}" is ${picked.why}.`,
      evidence: [fact("spec", `StorageClasses: ${known.slice(0, 20).join(", ")}`)],
    };
  },
  plan({ from, to }, finding, context) {
    const live = context.live(finding.workload);
    if (live === null) return refuse("there is no such claim");
    const changes = placesOf(live)
      .filter((place) => place.name === from)
      .map((place): Change => ({ object: finding.workload, path: place.path, from, to }));
    if (changes.length === 0) return refuse(`no claim asks for StorageClass ${from}`);
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `point StorageClass ${from} → ${to}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

function pick(from: string, classes: readonly KubeObject[]): { to: string; why: string } | { reason: string } {
  const known = classes.map((item) => item.metadata.name);
  const near = typoOf(from, known);
  if (near.match !== null) return { to: near.match, why: "the only one that it is a typo of" };
  if (near.near.length > 0)
    return {
      reason: `several StorageClasses are near "${from}": ${near.near.join(", ")}. A person must say which is meant`,
    };
  const [only, second] = known;
  if (only !== undefined && second === undefined) return { to: only, why: "the only one there is" };
  const defaults = classes.filter((item) => item.metadata.annotations?.[DEFAULT] === "true");
  const [chosen, another] = defaults;
  if (chosen !== undefined && another === undefined)
    return { to: chosen.metadata.name, why: "the cluster's default, which a claim that names none would get" };
  return {
    reason: `the cluster has no StorageClass "${from}", and ${known.length === 0 ? "none at all" : `none that is near, alone or the default (${known.join(", ")})`}. A person must say which is meant`,
  };
}

/** Where a claim, or a StatefulSet's claim templates, name their class. */
function placesOf(object: KubeObject): { readonly name: string; readonly path: FieldPath }[] {
  if (object.kind === "PersistentVolumeClaim") {
    const name = textAt(object, "spec", "storageClassName");
    return name === undefined || name === "" ? [] : [{ name, path: ["spec", "storageClassName"] }];
  }
  return listAt(object, "spec", "volumeClaimTemplates").flatMap((template, index) => {
    const name = textAt(template, "spec", "storageClassName");
    return name === undefined || name === ""
      ? []
      : [{ name, path: ["spec", "volumeClaimTemplates", index, "spec", "storageClassName"] }];
  });
}
