import type { Config } from "../config/schema.ts";
import { matchesGlob, namedNamespaces } from "../config/scope.ts";
import { StanchError } from "../errors.ts";
import { type Excess, excessOf, isPartOf, PROBED } from "../kube/excess.ts";
import { CLUSTER_SCOPED, resourceName } from "../kube/rbac.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { Access, Cluster } from "../ports.ts";
import { readRights, writeRights } from "../remedies/rights.ts";
import { type Finding, failed } from "./check.ts";

/** Namespaces that are asked for at most: one call each. */
const MOST = 100;
const TOLD = 20;

/** SelfSubjectAccessReviews, verb by verb; what is missing is named with the rule that grants it. */
export async function checkRights(cluster: Cluster, config: Config): Promise<Finding[]> {
  const namespaces = namedNamespaces(config);
  const lines: Finding[] = [];
  if (namespaces?.length === 0)
    lines.push({
      check: "scope",
      ok: false,
      text: `no namespace is watched: scope.namespaces names none but those that are left out (${config.scope.namespaces.join(", ")})`,
      fix: "name others in scope.namespaces, or look at scope.excludeNamespaces",
    });
  for (const [check, needs] of [
    ["rights to read", readRights(config)],
    ["rights to write", writeRights(config)],
  ] as const) {
    if (needs.length === 0) continue;
    const missing = new Map<string, Access>();
    try {
      for (const namespace of namespaces ?? [undefined]) {
        // What belongs to no namespace is listed in none: a RoleBinding gives nothing of it, whatever a review in a namespace says.
        const asked = needs.map((need) =>
          namespace === undefined || need.namespace !== undefined || CLUSTER_SCOPED.includes(need.resource)
            ? need
            : { ...need, namespace },
        );
        const held = await cluster.review(asked);
        for (const [index, need] of asked.entries()) if (held[index] !== true) missing.set(nameOf(need), need);
      }
    } catch (error) {
      lines.push(failed(check, error));
      continue;
    }
    if (missing.size === 0)
      lines.push({
        check,
        ok: true,
        text: `all ${needs.length} held${namespaces === null ? "" : ` in ${namespaces.join(", ")}`}`,
      });
    else
      for (const [name, need] of missing)
        lines.push({ check, ok: false, text: `missing: ${name}`, fix: `grant ${ruleOf(need)} to this account` });
  }
  return lines;
}

function nameOf({ verb, namespace, ...need }: Access): string {
  const group = need.group === "" ? "" : `.${need.group}`;
  const one = need.name === undefined ? "" : ` "${need.name}"`;
  return `${verb} ${resourceName({ ...need, verb })}${group}${one}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function ruleOf(need: Access): string {
  const names = need.name === undefined ? "" : `, resourceNames: ["${need.name}"]`;
  return `{ apiGroups: ["${need.group}"], resources: ["${resourceName(need)}"]${names}, verbs: ["${need.verb}"] }`;
}

/** One dangerous right that nothing needs, and where it is held. */
export interface HeldInExcess {
  /** `delete pods`, as `rights.allow` names it. */
  readonly name: string;
  /** Of those that were asked for; null: all of them, or the whole cluster. */
  readonly namespaces: readonly string[] | null;
}

/**
 * What the account holds that the configuration does not need and that is dangerous, without what `rights.allow` lets pass: by its rules in
 * Stanch's own namespace, in `kube-system` and in those that are watched, and by question for the worst of it. Throws StanchError where
 * the API server does not tell.
 */
export async function excessRights(cluster: Cluster, config: Config): Promise<HeldInExcess[]> {
  const named = namedNamespaces(config);
  const needs = [...readRights(config), ...writeRights(config)];
  const watched = named ?? (await allNamespaces(cluster, config));
  const asked = [...new Set([config.namespace, "kube-system", ...watched, ...config.scope.deployers])];
  const found = new Map<string, { excess: Excess; namespaces: string[] }>();
  const answers = await Promise.all(
    asked.map(async (namespace) => [namespace, await cluster.heldRules(namespace)] as const),
  );
  for (const [namespace, rules] of answers) {
    // Where namespaces are named, nothing is needed in others but what is needed there by name.
    const there =
      named === null || named.includes(namespace) ? needs : needs.filter((need) => need.namespace === namespace);
    for (const excess of excessOf(rules, there, namespace)) {
      const row = found.get(excess.name) ?? { excess, namespaces: [] };
      row.namespaces.push(namespace);
      found.set(excess.name, row);
    }
  }
  const unlisted = PROBED.filter(
    (probe) =>
      ![...found.values()].some(({ excess }) => isPartOf(probe, excess)) &&
      !(named === null && needs.some((need) => need.namespace === undefined && isSame(need, probe))),
  );
  const held = await cluster.review(unlisted);
  return [
    ...[...found.values()].map(({ excess, namespaces }) => ({
      name: excess.name,
      namespaces: namespaces.length === asked.length ? null : namespaces,
    })),
    ...unlisted.filter((_, index) => held[index] === true).map((probe) => ({ name: nameOf(probe), namespaces: null })),
  ].filter(({ name }) => !config.rights.allow.some((glob) => matchesGlob(glob, name)));
}

function isSame(a: Access, b: Access): boolean {
  return a.verb === b.verb && a.group === b.group && resourceName(a) === resourceName(b);
}

async function allNamespaces(cluster: Cluster, config: Config): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const page of cluster.list(RESOURCES.Namespace, {
      limit: config.observe.pageSize,
      metadataOnly: true,
    })) {
      names.push(...page.map((object) => object.metadata.name));
      if (names.length >= MOST) break;
    }
  } catch (error) {
    // That this right is missing is told beside.
    if (!(error instanceof StanchError) || error.code !== "forbidden") throw error;
  }
  return names.slice(0, MOST);
}

/** `doctor`: a warning, or a failure where such rights are refused. */
export async function checkExcess(cluster: Cluster, config: Config, strict: boolean): Promise<Finding[]> {
  const check = "rights in excess";
  const refused = strict || config.rights.excess === "refuse";
  try {
    const found = await excessRights(cluster, config);
    if (found.length === 0) return [{ check, ok: true, text: "none: nothing dangerous is held that is not needed" }];
    return [
      {
        check,
        ok: !refused,
        ...(refused ? {} : { warning: true }),
        text: `held and not needed: ${listed(found)}`,
        fix: FIX,
      },
    ];
  } catch (error) {
    return [failed(check, error)];
  }
}

const FIX =
  "use the account that `stanch rbac` prints, and take other roles from this one (kubectl auth can-i --list shows them); what must stay goes into `rights.allow`";

/** Where it is told to, a run does not begin with rights that it does not need. Throws StanchError `forbidden` that names them. */
export async function refuseExcess(cluster: Cluster, config: Config): Promise<void> {
  if (config.rights.excess !== "refuse") return;
  const found = await excessRights(cluster, config);
  if (found.length > 0)
    throw new StanchError("forbidden", `this account may do more than it needs: ${listed(found)}`, {
      hint: `nothing was done, because \`rights.excess\` is refuse: ${FIX}`,
    });
}

/** One entry for each resource, with all its verbs. */
function listed(found: readonly HeldInExcess[]): string {
  const rows = found.map(({ name, namespaces }) => {
    const [verb = "", ...resource] = name.split(" ");
    const where =
      namespaces === null ? "" : ` in ${namespaces.slice(0, 5).join(", ")}${namespaces.length > 5 ? ", …" : ""}`;
    return { verb, on: `${resource.join(" ")}${where}` };
  });
  const entries = [...Map.groupBy(rows, (row) => row.on)].map(
    ([on, group]) => `${group.map(({ verb }) => verb).join(", ")} ${on}`,
  );
  return `${entries.slice(0, TOLD).join("; ")}${entries.length > TOLD ? `; and ${entries.length - TOLD} more` : ""}`;
}
