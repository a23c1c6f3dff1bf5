import { parseAllDocuments } from "yaml";
import type { KubeObject } from "../../src/model.ts";
import { staticChecks } from "../../src/review/checks/index.ts";
import { declaredNames } from "../../src/review/declared.ts";
import type { Problem } from "../../src/review/model.ts";

export function objects(text: string): KubeObject[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => document.toJS() as KubeObject | null).filter((object) => object !== null);
}

/** What every check says of manifests; `before`: of the base, `beside`: what other roots of the commit declare. */
export function look(text: string, options: { before?: string; beside?: string; whole?: boolean } = {}): Problem[] {
  const own = objects(text);
  const before = options.before === undefined ? own : objects(options.before);
  const { has } = declaredNames([...own, ...objects(options.beside ?? "")]);
  const scene = { objects: own, before, whole: options.whole ?? true, declares: has };
  return staticChecks.flatMap((check) => check.look(scene));
}

export const said = (problems: readonly Problem[]): string[] =>
  problems.map(({ level, check, object, text }) => `${level} ${check} ${object.kind}/${object.name} ${text}`);
