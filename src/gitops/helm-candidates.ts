import type { FieldPath, Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate } from "./candidate.ts";
import { sameField } from "./field-equality.ts";
import type { HelmInputs } from "./helm-inputs.ts";
import { yamlOf } from "./input.ts";
import { leafEdits } from "./leaf-candidates.ts";
import { parseOnce } from "./parse-cache.ts";

/**
 * Places that may set a field of a chart's object, the one in force first: values files from the last to the first; the
 * environment's own file for a value that only the chart's defaults say; those defaults; a literal of a template. Only a
 * render tells which one it is.
 */
export async function* helmCandidates(aim: Aim, inputs: HelmInputs): AsyncGenerator<Candidate> {
  const own = inputs.values.toReversed();
  const { targets = [], parameters = [] } = aim.source.helm ?? {};
  yield* leafEdits(aim, [...targets.toReversed(), ...parameters.toReversed()], "helm parameters");
  yield* leafEdits(aim, own, "helm values");
  if (inputs.defaults !== undefined) {
    const [environment] = own;
    if (environment !== undefined) yield* overrides(aim, inputs.defaults, environment);
    yield* leafEdits(aim, [inputs.defaults], "helm chart defaults");
  }
  for (const file of inputs.templates) yield* literals(aim, file);
  if (aim.change.from === undefined) yield* insertions(aim, inputs);
}

/**
 * A field that nothing sets, below a value that a template writes out as a whole (`toYaml .Values.resources`): said in the environment's last
 * values file, or in the chart's defaults where there is none.
 */
async function* insertions(aim: Aim, inputs: HelmInputs): AsyncGenerator<Candidate> {
  const { to, path } = aim.change;
  const file = inputs.values.at(-1) ?? inputs.defaults;
  if (to === undefined || file === undefined) return;
  const wholes = new Set<string>();
  for (const template of inputs.templates) {
    const text = (await aim.read(template)) ?? "";
    for (const [, value = ""] of text.matchAll(/(?:toYaml|with)\s+\$?\.Values\.([\w.]+)/g)) wholes.add(value);
  }
  for (const whole of wholes) {
    const at = whole.split(".");
    const step = path.indexOf(at.at(-1) ?? "");
    const inner = step < 0 ? [] : path.slice(step + 1);
    // A list in values replaces the one before it as a whole, and the field itself may be the whole.
    if (step < 0 || inner.some((key) => typeof key !== "string")) continue;
    const text = await aim.read(file);
    if (text === null) continue;
    yield valuesCandidate(file, text, [...at, ...inner], to);
  }
}

/** A value set in a values file, which may be empty. */
function valuesCandidate(file: string, text: string, path: FieldPath, value: Json): Candidate {
  return text.trim() === ""
    ? { file, via: "helm values", result: { ok: true, text: yamlOf(nested(path, value)), line: 1 } }
    : fieldCandidate(file, text, "helm values", [{ op: "set", document: 0, path, value }]);
}

/** What the chart's defaults say, said anew in the environment's last values file. */
async function* overrides(aim: Aim, defaults: string, environment: string): AsyncGenerator<Candidate> {
  for await (const candidate of leafEdits(aim, [defaults], "helm values")) {
    const text = await aim.read(environment);
    if (text === null || candidate.edit.op !== "set") continue;
    const { path, value } = candidate.edit;
    // A list in values replaces the default list as a whole.
    if (path.some((step) => typeof step === "number") || isSet(text, path)) continue;
    yield valuesCandidate(environment, text, path, value);
  }
}

function nested(path: FieldPath, value: Json): Json {
  return path.toReversed().reduce<Json>((inner, step) => ({ [String(step)]: inner }), value);
}

function isSet(text: string, path: FieldPath): boolean {
  const parsed = parseOnce(text);
  let at: Json | undefined = parsed.ok ? (parsed.values[0] ?? null) : null;
  for (const step of path) {
    if (typeof at !== "object" || at === null || Array.isArray(at)) return false;
    at = at[String(step)];
  }
  return at !== undefined;
}

const LONGEST = 500;

/** Lines of a template that say `key: value` outright. Templates are text and no YAML: only such a line is touched. */
async function* literals(aim: Aim, file: string): AsyncGenerator<Candidate> {
  const { from, to, path } = aim.change;
  const key = path.at(-1);
  const text = await aim.read(file);
  if (text === null || typeof key !== "string" || !isScalar(from) || !isScalar(to)) return;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    // The expression below takes the square of a line's blanks.
    if (line.length > LONGEST || line.includes("{{")) continue;
    const said = /^(\s*(?:- )?)(["']?)([\w.\-/]+)\2:(\s+)(["']?)([^"'#\s][^"'#]*?)\5(\s+#.*|\s*)$/.exec(line);
    if (said === null || said[3] !== key) continue;
    const [, indent = "", quote = "", name = "", gap = "", mark = "", value = "", rest = ""] = said;
    if (value !== String(from) && !sameField(path, value, from)) continue;
    const next = String(to);
    // What would need quotes of its own is not written into text that nobody can parse.
    if (mark === "" && !/^[\w./][\w./:@+-]*$/.test(next)) continue;
    if (/["'\n\\]/.test(next)) continue;
    const after = [...lines];
    after[index] = `${indent}${quote}${name}${quote}:${gap}${mark}${next}${mark}${rest}`;
    yield { file, via: "helm template", result: { ok: true, text: after.join("\n"), line: index + 1 } };
  }
}

function isScalar(value: Json | undefined): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
