import { messageOf, StanchError } from "../errors.ts";
import type { Deployer } from "../gitops/origin.ts";
import { ownersOf } from "../kube/field-managers.ts";
import { listAt, textAt } from "../kube/fields.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { FieldPath, Json, KubeObject } from "../model.ts";
import { type KnownField, readArgoSettings } from "./argocd-settings.ts";
import { compareObjects, type Difference } from "./compare.ts";
import { argoRules, fluxRules, type IgnoreRule, merged, type ReadRules } from "./ignore-rule.ts";
import type { Place } from "./jq-path.ts";
import { isMap, sameAmount, sameDuration } from "./leaf.ts";
import type { DriftRequest } from "./request.ts";
import type { Root } from "./root.ts";

/** What is to be left out of the comparison, as the cluster's own engines and the configuration say. */
export interface Rules {
  /** Rules that are not understood or could not be read, in sentences: they hide nothing. `repositories`: whose sources they are about; "": nobody's. */
  readonly notUnderstood: readonly { readonly said: string; readonly repositories: readonly string[] }[];
  /** Takes out what a rule names, and says which did. `predicted`: as in `compareObjects`. */
  apply(
    differences: readonly Difference[],
    objects: { readonly declared: KubeObject; readonly live: KubeObject; readonly predicted: KubeObject | null },
    root: Pick<Root, "deployer" | "deploys">,
  ): { readonly left: readonly Difference[]; readonly hidden: ReadonlyMap<string, number> };
}

/** Reads the rules of all deployers, of Argo CD's own settings and of the configuration. Never throws for one of them. */
export async function readRules(
  { cluster, config }: Pick<DriftRequest, "cluster" | "config">,
  deployers: readonly Deployer[],
): Promise<Rules> {
  const own = argoRules("drift.ignore", config.drift.ignore);
  const byDeployer = new Map(deployers.map((deployer) => [keyOf(deployer.ref), rulesOf(deployer)]));
  const settings = new Map<string, ReadRules & { readonly known: readonly KnownField[] }>();
  const homes = new Set(
    deployers.flatMap((deployer) => (deployer.ref.kind === "Application" ? [homeOf(deployer)] : [])),
  );
  const unread: string[] = [];
  for (const namespace of homes) {
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace, name: "argocd-cm" };
    try {
      const object = await cluster.get(ref);
      if (object !== null) settings.set(namespace, readArgoSettings(object));
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      unread.push(
        `${describeRef(ref)} cannot be read, so that its ignoreDifferences hide nothing: ${messageOf(error)}`,
      );
    }
  }
  const forRoot = ({ deployer }: Pick<Root, "deployer">) => {
    const home = deployer?.ref.kind === "Application" ? settings.get(homeOf(deployer)) : undefined;
    const mine = deployer === null ? undefined : byDeployer.get(keyOf(deployer.ref));
    return { rules: [...(mine?.rules ?? []), ...(home?.rules ?? []), ...own.rules], known: home?.known ?? [] };
  };
  return {
    notUnderstood: [
      ...deployers.flatMap((deployer) =>
        (byDeployer.get(keyOf(deployer.ref))?.notUnderstood ?? []).map((said) => ({
          said,
          repositories: repositoriesOf(deployer),
        })),
      ),
      ...[...merged([own, ...settings.values()]).notUnderstood, ...unread].map((said) => ({
        said,
        repositories: [""],
      })),
    ],
    apply(differences, objects, root) {
      const { rules, known } = forRoot(root);
      return applied(differences, objects, root, rules, known);
    },
  };
}

function repositoriesOf({ origins }: Deployer): readonly string[] {
  if (!origins.found) return [origins.repository ?? ""];
  return [...new Set(origins.origins.map(({ repository }) => repository))];
}

function homeOf({ ref, object }: Deployer): string {
  return textAt(object, "status", "controllerNamespace") ?? ref.namespace;
}

function rulesOf({ ref, object }: Deployer): ReadRules {
  const name = describeRef(ref);
  if (ref.kind === "Application")
    return argoRules(`${name} ignoreDifferences`, listAt(object, "spec", "ignoreDifferences"));
  if (ref.kind === "HelmRelease")
    return fluxRules(`${name} driftDetection.ignore`, listAt(object, "spec", "driftDetection", "ignore"));
  return fluxRules(`${name} spec.ignore`, listAt(object, "spec", "ignore"));
}

function applied(
  given: readonly Difference[],
  { declared, live, predicted }: Parameters<Rules["apply"]>[1],
  { deploys }: Pick<Root, "deploys">,
  rules: readonly IgnoreRule[],
  known: readonly KnownField[],
): ReturnType<Rules["apply"]> {
  const hidden = new Map<string, number>();
  let left = given;
  const take = (label: string, rest: readonly Difference[]): void => {
    if (rest.length < left.length) hidden.set(label, (hidden.get(label) ?? 0) + left.length - rest.length);
    left = rest;
  };
  let [a, b, c] = [declared, live, predicted];
  for (const { label, means, paths, managers } of rules) {
    if (left.length === 0) break;
    if (!means(live)) continue;
    if (managers.length > 0) {
      take(
        label,
        left.filter(
          ({ path }) =>
            !ownersOf(live, path).some(({ entry, how }) => how !== "below" && managers.includes(entry.manager ?? "")),
        ),
      );
      continue;
    }
    const kept = new Set(left.map(({ path }) => JSON.stringify(path)));
    for (const path of paths) [a, b, c] = [without(a, path), without(b, path), c === null ? null : without(c, path)];
    const rest = compareObjects(a, b, { deploys, ...(c === null ? {} : { predicted: c }) }).differences;
    // What a rule leaves of a larger difference stays, in its smaller form; nothing new comes up.
    take(
      label,
      rest.filter((difference) => isWithin(difference.path, kept)),
    );
  }
  for (const { means, field, type } of known) {
    if (!means(live)) continue;
    const same = type === "amount" ? sameAmount : sameDuration;
    const isSame = ({ path, git, live: is }: Difference): boolean =>
      git !== undefined && is !== undefined && fieldName(path).startsWith(field) && same(git, is);
    take(
      `knownTypeFields ${field}`,
      left.filter((difference) => !isSame(difference)),
    );
  }
  return { left, hidden };
}

/** Positions of a list move when items before them are taken out, so they are not compared. */
function isWithin(path: FieldPath, kept: ReadonlySet<string>): boolean {
  if (path.some((step) => typeof step === "number")) return true;
  return path.some((_, index) => kept.has(JSON.stringify(path.slice(0, index + 1))));
}

function fieldName(path: FieldPath): string {
  return path.filter((step) => typeof step === "string").join(".");
}

/** A copy without the places that an expression names; later list items go first. */
function without(object: KubeObject, expression: IgnoreRule["paths"][number]): KubeObject {
  const places = expression(object as unknown as Json);
  const inOrder = places.toSorted(laterFirst);
  let out = object as unknown as Json;
  for (const place of inOrder) if (place.length > 0) out = removed(out, place);
  return out as unknown as KubeObject;
}

function laterFirst(a: Place, b: Place): number {
  for (const [index, step] of a.entries()) {
    const other = b[index];
    if (typeof step === "number" && typeof other === "number" && step !== other) return other - step;
  }
  return b.length - a.length;
}

function removed(value: Json, [step, ...rest]: Place): Json {
  if (Array.isArray(value) && typeof step === "number") {
    return rest.length === 0
      ? value.filter((_, index) => index !== step)
      : value.map((item, index) => (index === step ? removed(item, rest) : item));
  }
  if (!isMap(value) || typeof step !== "string" || !Object.hasOwn(value, step)) return value;
  if (rest.length > 0) return { ...value, [step]: removed(value[step] ?? null, rest) };
  const { [step]: _, ...kept } = value;
  return kept;
}
