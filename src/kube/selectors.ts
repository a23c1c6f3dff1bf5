import { listAt, mapAt, textAt, textsAt } from "./fields.ts";

type Labels = Readonly<Record<string, string>>;

export interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
}

export type ParsedSelector =
  | { readonly ok: true; readonly requirements: readonly Requirement[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Does a LabelSelector (`matchLabels`, `matchExpressions`) select these labels? An empty selector selects everything, an
 * absent one nothing, and one with an operator that is not known nothing, as the API has it.
 */
export function matchesSelector(selector: unknown, labels: Labels | undefined): boolean {
  if (mapAt(selector) === undefined) return false;
  const exact = textsAt(selector, "matchLabels");
  if (!matchesLabels(exact, labels)) return false;
  return listAt(selector, "matchExpressions").every((item) => {
    const key = textAt(item, "key");
    const operator = textAt(item, "operator");
    if (
      key === undefined ||
      (operator !== "In" && operator !== "NotIn" && operator !== "Exists" && operator !== "DoesNotExist")
    )
      return false;
    const values = listAt(item, "values").filter((value): value is string => typeof value === "string");
    return meets({ key, operator, values }, labels ?? {});
  });
}

/** Are all of these labels there, as a Service's selector asks? True for an empty selector: exclude it before. */
export function matchesLabels(selector: Labels, labels: Labels | undefined): boolean {
  return Object.entries(selector).every(([key, value]) => labelOf(labels ?? {}, key) === value);
}

export function matchesRequirements(requirements: readonly Requirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => meets(requirement, labels ?? {}));
}

/** Reads a selector as `kubectl -l` takes it: `app=web,tier!=db,env in (a,b),!old,size>3`. Empty text selects everything. */
export function parseSelector(text: string): ParsedSelector {
  const requirements: Requirement[] = [];
  // A comma inside parentheses parts values, not requirements.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const trimmed = part.trim();
    if (trimmed === "" && text.trim() === "") continue;
    const requirement = readRequirement(trimmed);
    if (requirement === null)
      return {
        ok: false,
        reason: `"${trimmed}" is no label requirement such as app=web, tier!=db, env in (a,b), app or !app.`,
      };
    requirements.push(requirement);
  }
  return { ok: true, requirements };
}

const KEY = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?`;
const VALUE = String.raw`(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?`;
const EQUAL = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(\\s*(${VALUE}(?:\\s*,\\s*${VALUE})*)\\s*\\)$`);
const BARE = new RegExp(`^(!?)\\s*(${KEY})$`);
const COMPARED = new RegExp(`^(${KEY})\\s*([<>])\\s*(-?\\d+)$`);

function readRequirement(text: string): Requirement | null {
  const equal = EQUAL.exec(text);
  if (equal !== null)
    return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
  const set = SET.exec(text);
  if (set !== null)
    return {
      key: set[1] ?? "",
      operator: set[2] === "in" ? "In" : "NotIn",
      values: (set[3] ?? "").split(",").map((value) => value.trim()),
    };
  const compared = COMPARED.exec(text);
  if (compared !== null)
    return { key: compared[1] ?? "", operator: compared[2] === ">" ? "Gt" : "Lt", values: [compared[3] ?? ""] };
  const bare = BARE.exec(text);
  return bare === null
    ? null
    : { key: bare[2] ?? "", operator: bare[1] === "!" ? "DoesNotExist" : "Exists", values: [] };
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    // An absent label is not in any set.
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      if (value === undefined || !/^-?\d+$/.test(value)) return false;
      const difference = Number(value) - Number(values[0]);
      return operator === "Gt" ? difference > 0 : difference < 0;
    }
  }
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
