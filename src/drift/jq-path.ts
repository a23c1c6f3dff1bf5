import type { Json } from "../model.ts";
import { isMap } from "./leaf.ts";

/** A concrete place in an object. */
export type Place = readonly (string | number)[];
/** The places that an expression names in an object; none where there is nothing. */
export type PathExpression = (root: Json) => readonly Place[];

interface Spot {
  readonly place: Place;
  readonly value: Json;
}
type Step = (spots: readonly Spot[]) => readonly Spot[];
type Test = (value: Json) => boolean;

/** Spots that are followed at most: an expression of somebody else's must not grow without end. */
const MOST = 10_000;

/**
 * The part of jq that names fields, as `ignoreDifferences` use it: `.a.b`, `."a"`, `.["a"]`, `[]`, `[0]`, `?`, `|`, `,`, and
 * `select(…)` with `==`, `!=`, `and`, `or`, `not`, `startswith`, `endswith`, `contains` and `has`. Null for anything else: what is not understood
 * must be said, and hides nothing. Regular expressions (`test`) are none of it, because a stranger's pattern could take forever.
 */
export function parseJqPath(text: string): PathExpression | null {
  if (text.length > 2000) return null;
  try {
    const parser = makeParser(tokensOf(text));
    const step = parser.expression();
    return parser.done() ? (root) => step([{ place: [], value: root }]).map(({ place }) => place) : null;
  } catch (error) {
    if (error instanceof NotUnderstood) return null;
    throw error;
  }
}

/** A JSON pointer (RFC 6901) as such an expression. */
export function parsePointer(text: string): PathExpression {
  const names = text
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return (root) => {
    const place: (string | number)[] = [];
    let at: Json | undefined = root;
    for (const name of names) {
      const step: string | number = Array.isArray(at) && /^\d+$/.test(name) ? Number(name) : name;
      place.push(step);
      at = childOf(at, step);
      if (at === undefined) return [];
    }
    return [place];
  };
}

class NotUnderstood extends Error {}

const TOKEN = /\s*(?:(\.\.|\||,|\[|\]|\(|\)|\?|==|!=|\.)|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w]*))/y;

function tokensOf(text: string): string[] {
  const out: string[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) throw new NotUnderstood();
    out.push(match[0].trim());
  }
  return out;
}

function makeParser(tokens: readonly string[]) {
  let at = 0;
  const peek = (): string | undefined => tokens[at];
  const take = (): string => tokens[at++] ?? fail();
  const accept = (token: string): boolean => peek() === token && ++at > 0;
  const expect = (token: string): void => void (accept(token) || fail());

  /** `,` binds tighter than `|`: `.a, .b | .c` is `(.a, .b) | .c`. */
  function expression(): Step {
    const parts = [comma()];
    while (accept("|")) parts.push(comma());
    return (spots) => parts.reduce((now, part) => part(now), spots);
  }

  function comma(): Step {
    const parts = [term()];
    while (accept(",")) parts.push(term());
    return (spots) => parts.flatMap((part) => part(spots)).slice(0, MOST);
  }

  function term(): Step {
    if (accept("(")) {
      const inner = expression();
      expect(")");
      return suffixes(inner);
    }
    if (accept("select")) {
      expect("(");
      const test = condition();
      expect(")");
      return (spots) => spots.filter(({ value }) => test(value));
    }
    if (peek() !== ".") return fail();
    at++;
    const next = peek();
    if (next !== undefined && isName(next)) {
      at++;
      return suffixes(child(nameIn(next)));
    }
    return suffixes((spots) => spots);
  }

  function suffixes(first: Step): Step {
    const parts = [first];
    for (;;) {
      if (accept("?")) continue;
      if (accept("[")) {
        if (accept("]")) parts.push(children);
        else {
          const token = take();
          parts.push(
            token.startsWith('"') ? child(nameIn(token)) : child(/^-?\d+$/.test(token) ? Number(token) : fail()),
          );
          expect("]");
        }
      } else if (peek() === "." && (isName(tokens[at + 1] ?? "") || tokens[at + 1] === "[")) {
        at++;
        const name = peek();
        if (name !== undefined && isName(name)) {
          at++;
          parts.push(child(nameIn(name)));
        }
      } else return (spots) => parts.reduce((now, part) => part(now), spots);
    }
  }

  function condition(): Test {
    const parts = [conjunction()];
    while (accept("or")) parts.push(conjunction());
    return (value) => parts.some((part) => part(value));
  }

  function conjunction(): Test {
    const parts = [comparison()];
    while (accept("and")) parts.push(comparison());
    return (value) => parts.every((part) => part(value));
  }

  function comparison(): Test {
    if (accept("(")) {
      const inner = condition();
      expect(")");
      return negated(inner);
    }
    if (peek() === "has") return negated(called((value, name) => isMap(value) && Object.hasOwn(value, String(name))));
    const left = operand();
    if (accept("==")) return both(left, operand(), (a, b) => JSON.stringify(a) === JSON.stringify(b));
    if (accept("!=")) return both(left, operand(), (a, b) => JSON.stringify(a) !== JSON.stringify(b));
    if (!accept("|")) return (value) => left(value).some((found) => found !== null && found !== false);
    if (accept("not")) return (value) => !left(value).some((found) => found !== null && found !== false);
    const named = CALLS[peek() ?? ""];
    if (named === undefined) return fail();
    const test = called(named);
    return negated((value) => left(value).some(test));
  }

  /** `… | not` turns what stands before it around. */
  function negated(test: Test): Test {
    if (peek() !== "|" || tokens[at + 1] !== "not") return test;
    at += 2;
    return (value) => !test(value);
  }

  function called(test: (value: Json, argument: Json) => boolean): Test {
    at++;
    expect("(");
    const argument = literal(take());
    expect(")");
    return (value) => test(value, argument);
  }

  function operand(): (value: Json) => readonly Json[] {
    if (peek() === ".") {
      const path = term();
      return (value) => {
        const found = path([{ place: [], value }]);
        return found.length === 0 ? [null] : found.map((spot) => spot.value);
      };
    }
    const value = literal(take());
    return () => [value];
  }

  return { expression, done: () => at === tokens.length };
}

const CALLS: Readonly<Record<string, (value: Json, argument: Json) => boolean>> = {
  startswith: (value, text) => typeof value === "string" && typeof text === "string" && value.startsWith(text),
  endswith: (value, text) => typeof value === "string" && typeof text === "string" && value.endsWith(text),
  contains: (value, text) => typeof value === "string" && typeof text === "string" && value.includes(text),
  has: (value, name) => isMap(value) && Object.hasOwn(value, String(name)),
};

function fail(): never {
  throw new NotUnderstood();
}

function isName(token: string): boolean {
  return token.startsWith('"') || /^[A-Za-z_]/.test(token);
}

function nameIn(token: string): string {
  return token.startsWith('"') ? String(literal(token)) : token;
}

function literal(token: string): Json {
  if (!/^(".*"|-?\d.*|true|false|null)$/s.test(token)) fail();
  try {
    return JSON.parse(token) as Json;
  } catch {
    return fail();
  }
}

function both(
  left: (value: Json) => readonly Json[],
  right: (value: Json) => readonly Json[],
  test: (a: Json, b: Json) => boolean,
): Test {
  return (value) => left(value).some((a) => right(value).some((b) => test(a, b)));
}

function child(step: string | number): Step {
  return (spots) =>
    spots.flatMap(({ place, value }) => {
      const index = typeof step === "number" && step < 0 && Array.isArray(value) ? value.length + step : step;
      const found = childOf(value, index);
      return found === undefined ? [] : [{ place: [...place, index], value: found }];
    });
}

function children(spots: readonly Spot[]): readonly Spot[] {
  return spots
    .flatMap(({ place, value }): Spot[] => {
      if (Array.isArray(value)) return value.map((item, index) => ({ place: [...place, index], value: item }));
      if (!isMap(value)) return [];
      return Object.entries(value).map(([key, item]) => ({ place: [...place, key], value: item }));
    })
    .slice(0, MOST);
}

function childOf(value: Json | undefined, step: string | number): Json | undefined {
  if (typeof step === "number") return Array.isArray(value) ? value[step] : undefined;
  return isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
}
