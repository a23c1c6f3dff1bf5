import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { referencesTo } from "../kube/references.ts";
import type { Change, ConfigInventory, Finding } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { stateOf } from "./missing-target.ts";
import { type Answer, defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { slipOf, typoOf } from "./typo.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const Params = z.strictObject({
  name: z.string().min(1).max(253).optional().describe("The ConfigMap or Secret that is meant."),
  key: z.string().min(1).max(253).optional().describe("The key that is meant."),
});
type Params = z.output<typeof Params>;

/**
 * A reference to a ConfigMap or Secret that does not exist, or to a key that it does not have, points to the one object or
 * key whose name it is a typo of (typo.ts says what passes for one). Never across kinds, and only where every key that the
 * workload asks for is known to be there.
 */
export const repointReference = defineRemedy({
  id: "repoint-reference",
  summary: "Points a mistyped ConfigMap or Secret reference to the one existing name or key that it is a typo of.",
  risk: "medium",
  reversibility: "inverse",
  params: Params,
  needs: PATCH_WORKLOADS,
  async diagnose(finding, context) {
    const { symptom } = finding;
    if (symptom.kind !== "ConfigMissing") return no("no reference to configuration is missing");
    const inventory = context.snapshot.configs[finding.workload.namespace];
    const known = symptom.refKind === "ConfigMap" ? inventory?.configMaps : inventory?.secrets;
    if (known === undefined || known === null)
      return no(`names of ${symptom.refKind}s may not be read here (observe.secrets, or a missing right)`);
    return Object.hasOwn(known, symptom.name) ? keyOf(finding, known) : nameOf(finding, known, inventory, context);
  },
  plan({ name, key }, finding, context) {
    const { symptom } = finding;
    const live = context.live(finding.workload);
    if (symptom.kind !== "ConfigMissing" || live === null) return refuse("there is no such reference");
    if ((name === undefined) === (key === undefined)) return refuse("either a name or a key is corrected");
    const inventory = context.snapshot.configs[finding.workload.namespace];
    const known = symptom.refKind === "ConfigMap" ? inventory?.configMaps : inventory?.secrets;
    if (known === undefined || known === null) return refuse(`names of ${symptom.refKind}s may not be read here`);
    const there = Object.hasOwn(known, symptom.name);
    if (name !== undefined && there) return refuse(`${symptom.refKind} ${symptom.name} exists: its name is right`);
    if (key !== undefined && symptom.key !== undefined && known[symptom.name]?.includes(symptom.key) === true)
      return refuse(`${symptom.refKind} ${symptom.name} has the key ${symptom.key}`);
    const [wrong, right] = name === undefined ? [symptom.key ?? "", key ?? ""] : [symptom.name, name];
    // An existing name is not enough: a workload would be handed somebody else's credentials.
    if (slipOf(wrong, right) === null) return refuse(`"${wrong}" is no typo of "${right}"`);
    const places = referencesTo(live, symptom.refKind, symptom.name).filter(
      (reference) => key === undefined || reference.key === symptom.key,
    );
    const changes: Change[] = [];
    for (const reference of places) {
      const path = key === undefined ? reference.path : reference.keyPath;
      const wanted = {
        kind: symptom.refKind,
        name: name ?? reference.name,
        ...((key ?? reference.key) ? { key: key ?? reference.key ?? "" } : {}),
      };
      // A key must be known to be there; of a Secret by its name, only the name may be known.
      if (key !== undefined && stateOf(wanted, inventory) !== "present")
        return refuse(`${symptom.refKind} ${wanted.name} is not known to have ${key}`);
      if (stateOf(wanted, inventory) === "absent")
        return refuse(`${symptom.refKind} ${wanted.name} has no ${wanted.key ?? "such name"}`);
      const from = path === undefined ? undefined : getAt(live, path);
      if (path === undefined || from === undefined) continue;
      changes.push({ object: finding.workload, path, from, to: name ?? key ?? "" });
    }
    if (changes.length === 0) return refuse("the reference is not there any more");
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `point ${symptom.refKind} ${key === undefined ? `reference ${symptom.name} → ${name}` : `key ${symptom.key} → ${key}`}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

type Known = Readonly<Record<string, readonly string[] | null>>;

/** The object is not there: which one is meant? */
function nameOf(
  finding: Finding,
  known: Known,
  inventory: ConfigInventory | undefined,
  context: PlanContext,
): Answer<Params> {
  const { symptom } = finding;
  if (symptom.kind !== "ConfigMissing") return no("");
  const live = context.live(finding.workload);
  const asked =
    live === null
      ? []
      : referencesTo(live, symptom.refKind, symptom.name).flatMap((reference) =>
          reference.key === undefined || reference.optional ? [] : [reference.key],
        );
  // Objects that lack a key which is asked for cannot be meant.
  const fitting = Object.keys(known).filter((name) =>
    asked.every((key) => stateOf({ kind: symptom.refKind, name, key }, inventory) === "present"),
  );
  const candidates = asked.length === 0 ? Object.keys(known) : fitting;
  const near = typoOf(symptom.name, candidates);
  if (near.match === null) {
    return no(
      near.near.length > 0
        ? `several ${symptom.refKind}s are near "${symptom.name}": ${near.near.join(", ")}. A person must say which is meant`
        : `${symptom.refKind} "${symptom.name}" does not exist, and none has a name near it${asked.length > 0 ? ` and the keys ${asked.join(", ")}` : ""}. A person must create it, or correct the reference`,
    );
  }
  return {
    applies: true,
    params: { name: near.match },
    reason: `${symptom.refKind} "${symptom.name}" does not exist; "${near.match}" is the only one that it is a typo of${asked.length > 0 ? `, and has the keys ${asked.join(", ")}` : ""}.`,
    evidence: [
      fact(
        "spec",
        `${symptom.refKind}s in ${finding.workload.namespace}: ${Object.keys(known).slice(0, 20).join(", ")}`,
      ),
    ],
  };
}

/** The object is there, the key is not: which one is meant? */
function keyOf(finding: Finding, known: Known): Answer<Params> {
  const { symptom } = finding;
  if (symptom.kind !== "ConfigMissing") return no("");
  const keys = known[symptom.name];
  if (symptom.key === undefined || keys === undefined || keys === null)
    return no(
      `${symptom.refKind} "${symptom.name}" exists, and its keys may not be read; a person must compare them with the reference`,
    );
  const near = typoOf(symptom.key, keys);
  if (near.match === null)
    return no(
      `${symptom.refKind} "${symptom.name}" has no key "${symptom.key}", and ${near.near.length > 0 ? `several are near: ${near.near.join(", ")}` : `none near it (${keys.slice(0, 10).join(", ")})`}. A person must say what is meant`,
    );
  return {
    applies: true,
    params: { key: near.match },
    reason: `${symptom.refKind} "${symptom.name}" has no key "${symptom.key}"; "${near.match}" is the only one that it is a typo of.`,
    evidence: [fact("spec", `Keys of ${symptom.refKind} ${symptom.name}: ${keys.slice(0, 20).join(", ")}`)],
  };
}
