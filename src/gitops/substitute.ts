import { StanchError } from "../errors.ts";
import { matchGlob } from "./glob.ts";

/** What the variables are, and whether there are more of them, whose values nobody may know. */
export interface Variables {
  readonly values: Readonly<Record<string, string>>;
  readonly open: boolean;
}

/**
 * Replaces `${name}` and its functions in a text as Flux does (fluxcd/pkg/envsubst, which came from drone/envsubst): `$${` is an escape,
 * `$name` is left alone, a variable that is not set is empty. Where there are variables that are not known (`open`), an expression that
 * asks for one stays as it is, unless it says a default. Throws StanchError `render` for what Flux does not understand.
 */
export function substitute(text: string, variables: Variables): string {
  return parts(scannerOf(text), variables);
}

interface Scanner {
  readonly text: string;
  at: number;
  depth: number;
}

type Accept = (character: string, index: number) => boolean;

/** Expressions within defaults of expressions. */
const MAX_DEPTH = 50;
/** Trimming by a pattern tries every prefix. */
const MAX_TRIMMED = 16 * 1024;

function scannerOf(text: string): Scanner {
  return { text, at: 0, depth: 0 };
}

function parts(scanner: Scanner, variables: Variables): string {
  const { text } = scanner;
  let out = "";
  while (scanner.at < text.length) {
    const dollar = text.indexOf("$", scanner.at);
    if (dollar < 0) return out + text.slice(scanner.at);
    out += text.slice(scanner.at, dollar);
    const next = text[dollar + 1];
    if (next === "{") {
      scanner.at = dollar + 2;
      out += expression(scanner, variables);
    } else {
      out += "$";
      scanner.at = dollar + (next === "$" ? 2 : 1);
    }
  }
  return out;
}

/** What stands between `${` and `}`; the scanner is behind the first. */
function expression(scanner: Scanner, variables: Variables): string {
  const start = scanner.at - 2;
  if (++scanner.depth > MAX_DEPTH) throw bad(scanner, start, "is nested too deep");
  const fail = (why: string): never => {
    throw bad(scanner, start, why);
  };
  const made = call(scanner, variables, fail);
  scanner.depth--;
  const value = Object.hasOwn(variables.values, made.name) ? variables.values[made.name] : undefined;
  if (value === undefined && variables.open && !DEFAULTS.has(made.fn)) return scanner.text.slice(start, scanner.at);
  return apply(made.fn, value ?? "", made.args, fail);
}

interface Call {
  readonly name: string;
  /** "" for `${name}` itself. */
  readonly fn: string;
  readonly args: readonly string[];
}

/** Functions that say what an unset variable is. */
const DEFAULTS: ReadonlySet<string> = new Set(["=", ":=", ":-", ":?", ":+"]);

function call(scanner: Scanner, variables: Variables, fail: (why: string) => never): Call {
  const close = (): void => {
    if (scanner.text[scanner.at] !== "}") fail("is no expression that Flux knows");
    scanner.at++;
  };
  const argument = (accept: Accept, escapes = false): string => {
    if (scanner.text.startsWith("${", scanner.at)) {
      scanner.at += 2;
      return expression(scanner, variables);
    }
    const text = taken(scanner, accept, escapes, true);
    return text === "" ? fail("lacks something") : text;
  };
  if (scanner.text[scanner.at] === "#") {
    scanner.at++;
    const name = taken(scanner, isName, false, false);
    if (name === "") fail("has no name");
    close();
    return { name, fn: "#", args: [] };
  }
  const name = taken(scanner, isName, false, false);
  if (name === "") fail("has no name");
  const [first, second] = [scanner.text[scanner.at], scanner.text[scanner.at + 1]];
  if (first === "=" || (first === ":" && second !== undefined && "=-?+".includes(second))) {
    const fn = first === "=" ? "=" : `:${second}`;
    scanner.at += fn.length;
    const args: string[] = [];
    while (scanner.text[scanner.at] !== "}") args.push(argument(notClosing));
    close();
    return { name, fn, args };
  }
  if (first === ":") {
    scanner.at++;
    const args = [argument((character) => character !== ":" && character !== "}")];
    if (scanner.text[scanner.at] === ":") {
      taken(scanner, (character) => character === ":", false, false);
      args.push(argument(notClosing));
    }
    close();
    return { name, fn: ":", args };
  }
  if (first === "," || first === "^") {
    const fn = taken(scanner, (character, index) => ",^".includes(character) && index < 2, false, false);
    close();
    return { name, fn, args: [] };
  }
  if (first === "#" || first === "%") {
    const fn = taken(scanner, (character, index) => character === first && index < 2, false, false);
    const args = [argument(notClosing)];
    close();
    return { name, fn, args };
  }
  if (first === "/") {
    scanner.at++;
    const mark = scanner.text[scanner.at];
    const fn = mark !== undefined && "/#%".includes(mark) ? `/${mark}` : "/";
    scanner.at += fn.length - 1;
    const args = [argument((character) => character !== "/", true)];
    if (taken(scanner, (character) => character === "/", false, false) === "") fail("replaces nothing by nothing");
    if (scanner.text[scanner.at] !== "}") args.push(argument(notClosing, true));
    close();
    return { name, fn, args };
  }
  close();
  return { name, fn: "", args: [] };
}

const isName: Accept = (character) => /[\p{L}\p{Nd}_]/u.test(character);
const notClosing: Accept = (character) => character !== "}";

/** The characters that are accepted, up to an expression where one may begin; escaped ones are accepted whatever they are. */
function taken(scanner: Scanner, accept: Accept, escapes: boolean, expressions: boolean): string {
  let out = "";
  let index = 0;
  for (;;) {
    const code = scanner.text.codePointAt(scanner.at);
    if (code === undefined) return out;
    const character = String.fromCodePoint(code);
    const next = scanner.text[scanner.at + 1];
    if (expressions && character === "$" && next === "{") return out;
    if (escapes && ((character === "$" && next === "$") || (character === "\\" && (next === "/" || next === "\\")))) {
      out += next;
      scanner.at += 2;
    } else {
      if (!accept(character, index)) return out;
      out += character;
      scanner.at += character.length;
    }
    index++;
  }
}

function apply(fn: string, value: string, args: readonly string[], fail: (why: string) => never): string {
  const [first = "", second = ""] = args;
  switch (fn) {
    case ",":
      return firstOf(value, (text) => text.toLowerCase());
    case ",,":
      return eachOf(value, (text) => text.toLowerCase());
    case "^":
      return firstOf(value, (text) => text.toUpperCase());
    case "^^":
      return eachOf(value, (text) => text.toUpperCase());
    case ":":
      return slice(value, args);
    case "/#":
      return args.length === 2 && value.startsWith(first) ? second + value.slice(first.length) : value;
    case "/%":
      return args.length === 2 && value.endsWith(first) ? value.slice(0, value.length - first.length) + second : value;
    case "/":
      return value.replace(first, () => second);
    case "//":
      return value.replaceAll(first, () => second);
    case "#":
      if (args.length === 0) return String(Buffer.byteLength(value));
      return trimmed(value, first, false, fail);
    case "##":
      return trimmed(value, first, true, fail);
    case "%":
    case "%%":
      return reversed(trimmed(reversed(value), reversed(first), fn === "%%", fail));
    default:
      // Flux takes `:+` and `:?` for defaults, too.
      return value === "" ? args.join("") : value;
  }
}

/** Go maps characters one by one: what becomes more than one character stays as it is. */
function eachOf(value: string, change: (text: string) => string): string {
  return [...value].map((character) => one(character, change(character))).join("");
}

function firstOf(value: string, change: (text: string) => string): string {
  const [first = ""] = value;
  return one(first, change(first)) + value.slice(first.length);
}

function one(before: string, after: string): string {
  return [...after].length === 1 ? after : before;
}

/** Positions are bytes. What is no number leaves the value as it is. */
function slice(value: string, args: readonly string[]): string {
  const [first, length] = args.map((text) => (/^[+-]?\d{1,15}$/.test(text) ? Number(text) : null));
  if (first === null || first === undefined || length === null) return value;
  const bytes = Buffer.from(value);
  const from = first < 0 ? Math.max(0, bytes.length + first) : first;
  if (from >= bytes.length) return "";
  const end = length === undefined ? bytes.length : length < 0 ? bytes.length + length : from + length;
  return end < from ? "" : bytes.subarray(from, end).toString();
}

function trimmed(value: string, pattern: string, longest: boolean, fail: (why: string) => never): string {
  if (value.length > MAX_TRIMMED) fail("trims a value that is too long for it");
  const characters = [...value];
  let found = 0;
  for (let length = characters.length; length > 0; length--) {
    const matches = matchGlob(pattern, characters.slice(0, length).join(""));
    if (matches === null) return value;
    if (!matches) continue;
    found = length;
    if (longest) break;
  }
  return characters.slice(found).join("");
}

function reversed(text: string): string {
  return [...text].reverse().join("");
}

function bad(scanner: Scanner, start: number, why: string): StanchError {
  const end = scanner.text.indexOf("}", start);
  const shown = scanner.text.slice(start, Math.min(end < 0 ? start + 60 : end + 1, start + 60)).split("\n")[0];
  return new StanchError("render", `the variable expression ${shown} ${why}`, {
    hint: "write $${ where a text is meant, or label the object `kustomize.toolkit.fluxcd.io/substitute: disabled`",
  });
}
