import type { Change, FieldPath, Json } from "../model.ts";

const GRANTS = ["privileged", "allowPrivilegeEscalation", "hostNetwork", "hostPID", "hostIPC"];
const RESTRICTIONS = ["runAsNonRoot", "readOnlyRootFilesystem"];

/** Does a change allow more than before: privileges, capabilities, the host, root? Whether it stands in a leaf or a subtree. */
export function loosens({ path, from, to }: Change): boolean {
  // What a removed restriction would fall back to depends on the image and the namespace: a person must know.
  if (to === undefined && path.includes("securityContext")) return !isGrantOnly(path, from);
  if (to === undefined) return false;
  const [before, after] = [privilegesOf(path, from), privilegesOf(path, to)];
  return (
    [...after.grants].some((name) => !before.grants.has(name)) ||
    [...before.limits].some((name) => !after.limits.has(name))
  );
}

/** Does a value only allow, and restrict nothing? Then less is allowed without it, whatever it falls back to. */
function isGrantOnly(path: FieldPath, value: Json | undefined): boolean {
  const leaves = leavesOf(
    path.filter((step) => typeof step === "string"),
    value,
  );
  return (
    leaves.length > 0 &&
    leaves.every(([keys, at]) => {
      const [above, name = ""] = keys.slice(-2);
      return (GRANTS.includes(name) && at === true) || (above === "capabilities" && name === "add");
    })
  );
}

function leavesOf(keys: readonly string[], at: Json | undefined): (readonly [readonly string[], Json | undefined])[] {
  if (Array.isArray(at)) return at.length === 0 ? [[keys, at]] : at.flatMap((item) => leavesOf(keys, item));
  if (typeof at === "object" && at !== null) {
    const entries = Object.entries(at);
    return entries.length === 0 ? [[keys, at]] : entries.flatMap(([key, item]) => leavesOf([...keys, key], item));
  }
  return [[keys, at]];
}

interface Privileges {
  readonly grants: ReadonlySet<string>;
  readonly limits: ReadonlySet<string>;
}

function privilegesOf(path: FieldPath, value: Json | undefined): Privileges {
  const grants = new Set<string>();
  const limits = new Set<string>();
  visit(
    path.filter((step) => typeof step === "string"),
    value,
  );
  return { grants, limits };

  function visit(keys: readonly string[], at: Json | undefined): void {
    if (keys.includes("hostPath") && at !== undefined) grants.add("hostPath");
    if (Array.isArray(at)) for (const item of at) visit(keys, item);
    else if (typeof at === "object" && at !== null)
      for (const [key, item] of Object.entries(at)) visit([...keys, key], item);
    else leaf(keys, at);
  }

  function leaf(keys: readonly string[], at: Json | undefined): void {
    const [above, name = ""] = keys.slice(-2);
    if (GRANTS.includes(name) && at === true) grants.add(name);
    if (RESTRICTIONS.includes(name)) {
      if (at === true) limits.add(name);
      else if (at === false) grants.add(`no ${name}`);
    }
    if (name === "allowPrivilegeEscalation" && at === false) limits.add(name);
    if (name === "runAsUser" && at === 0) grants.add("root");
    if (name === "runAsUser" && typeof at === "number" && at > 0) limits.add("another user than root");
    if (name === "procMount" && at === "Unmasked") grants.add(name);
    if (name === "type" && at === "Unconfined") grants.add(`${above} Unconfined`);
    if (above === "capabilities" && name === "add") grants.add(`capability ${at}`);
    if (above === "capabilities" && name === "drop") limits.add(`no capability ${at}`);
  }
}

/** Names that a Role must not get (back), wherever in a rule they would stand. */
const GRAVE =
  /"(?:\*|\*\/[^"]*|[^"]*\/\*|escalate|bind|impersonate|secrets|serviceaccounts\/token|pods\/(?:exec|attach)|(?:cluster)?role(?:binding)?s)"/g;

/** Does a change of a Role give all of something, Secrets, other programs, or rights themselves? */
export function givesTooMuch({ object, from, to }: Change): boolean {
  if (object.kind !== "Role") return false;
  const had = JSON.stringify(from ?? null);
  return [...JSON.stringify(to ?? null).matchAll(GRAVE)].some(([name]) => !had.includes(name));
}
