import { getAt } from "../kube/field-path.ts";
import type { Change, Json, KubeObject, ObjectRef } from "../model.ts";

/**
 * A change of a generated Application as a change of the ApplicationSet that makes it. Where the template says the value outright it is
 * the template's, and every Application of the set gets it (`shared`). Where a list generator fills it in, it is the value of the one
 * element that makes this Application. Null: another generator fills it in, which no rule evaluates.
 */
export function generatedChange(
  change: Change,
  application: KubeObject,
  set: KubeObject,
  ref: ObjectRef,
): { readonly change: Change; readonly shared: boolean } | null {
  // A patch of the template may say otherwise, and is not evaluated.
  if (getAt(set, ["spec", "templatePatch"]) !== undefined) return null;
  const path = ["spec", "template", ...change.path];
  const said = getAt(set, path);
  if (!/\{\{/.test(JSON.stringify(said ?? null))) return { change: { ...change, object: ref, path }, shared: true };
  const parameter = typeof said === "string" ? /^\{\{\s*\.?([\w-]+)\s*\}\}$/.exec(said)?.[1] : undefined;
  const nameTemplate = getAt(set, ["spec", "template", "metadata", "name"]);
  if (parameter === undefined || typeof nameTemplate !== "string" || !isUsedOnce(parameter, set)) return null;
  const places = elementsOf(set).filter(({ element }) => filled(nameTemplate, element) === application.metadata.name);
  const [place] = places;
  if (place === undefined || places.length > 1 || place.element[parameter] !== change.from) return null;
  return { change: { ...change, object: ref, path: [...place.path, parameter] }, shared: false };
}

/** What else a parameter fills in would change along, and nothing renders that. What takes all of them at once (`range .`) names none. */
function isUsedOnce(parameter: string, set: KubeObject): boolean {
  const used = JSON.stringify(getAt(set, ["spec", "template"]) ?? null).match(/\{\{.*?\}\}/g) ?? [];
  const words = used.map((text): readonly string[] => text.match(/[\w-]+/g) ?? []);
  return (
    words.filter((names) => names.includes(parameter)).length === 1 &&
    !used.some((text) => /[\s({]\.[\s)}]|\$/.test(text))
  );
}

interface Element {
  readonly path: readonly (string | number)[];
  readonly element: { readonly [key: string]: Json };
}

/** Elements of the list generators at the top: those of combinations do not stand alone. */
function elementsOf(set: KubeObject): Element[] {
  const generators = getAt(set, ["spec", "generators"]);
  if (!Array.isArray(generators)) return [];
  return generators.flatMap((generator, index) => {
    const elements = getAt(generator, ["list", "elements"]);
    if (!Array.isArray(elements)) return [];
    return elements.flatMap((element, at): Element[] =>
      typeof element === "object" && element !== null && !Array.isArray(element)
        ? [{ path: ["spec", "generators", index, "list", "elements", at], element }]
        : [],
    );
  });
}

/** `{{name}}` as fasttemplate has it, `{{.name}}` as Go templates do; anything else stays, and matches no name. */
function filled(template: string, element: { readonly [key: string]: Json }): string {
  return template.replaceAll(/\{\{\s*\.?([\w-]+)\s*\}\}/g, (all, key: string) =>
    typeof element[key] === "string" || typeof element[key] === "number" ? String(element[key]) : all,
  );
}
