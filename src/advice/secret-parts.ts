/** Keys whose value is a name or a setting, which texts need: not taken out by itself. */
const HARMLESS =
  /(?:^|[_.-])(?:type|project(?:_id)?|uri|url|host(?:name)?|port|server|registry|region|zone|user(?:name)?|email|database|db(?:name)?|namespace|name|version|format|env(?:ironment)?|profile|level|mode|driver|dialect|class|path|file|client_id)$/i;
const DEEPEST = 8;

/** The single values in one that holds several: JSON (`.dockerconfigjson`), or lines of `key=value` and `key: value`. Names and settings are left out. */
export function partsOf(value: string): string[] {
  const out: string[] = [];
  const add = (key: string, text: string): void => {
    const password = /:\/\/[^\s:/@]{0,200}:([^\s/]{1,1000})@/.exec(text)?.[1];
    if (password !== undefined) out.push(password);
    if (!HARMLESS.test(key)) out.push(text);
  };
  const json = /^\s*[{[]/.test(value) ? parsed(value) : undefined;
  if (json !== undefined) walk(json, "", DEEPEST, add);
  else
    for (const line of value.split(/\r?\n/)) {
      const said = /^\s*(?:export\s+)?["']?([\w.-]{1,100})["']?[ \t]*[=:][ \t]*(\S.*)$/.exec(line);
      if (said !== null) add(said[1] ?? "", bare(said[2] ?? ""));
    }
  return out;
}

function walk(json: unknown, key: string, depth: number, add: (key: string, text: string) => void): void {
  if (typeof json === "string") {
    add(key, json);
    // `auth` of a registry is user:password in base64.
    if (key === "auth")
      add(
        "password",
        Buffer.from(json, "base64")
          .toString("utf8")
          .replace(/^[^:]*:/, ""),
      );
    return;
  }
  if (typeof json !== "object" || json === null || depth === 0) return;
  for (const [name, inner] of Object.entries(json)) walk(inner, Array.isArray(json) ? key : name, depth - 1, add);
}

function bare(text: string): string {
  const whole = text.trim();
  return /^(["']).*\1$/.test(whole) ? whole.slice(1, -1) : whole;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
