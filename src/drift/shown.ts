import type { FieldPath, Json } from "../model.ts";
import { redact } from "../redact.ts";
import { isMap, nameOf } from "./leaf.ts";
import type { Shown } from "./model.ts";
import type { Seal } from "./secret.ts";

/** Characters of JSON that are shown of one value. */
const MOST = 400;
const SENSITIVE =
  /passw(or)?d|passphrase|passwd|secret|token|credential|private|api[-_]?key|access[-_]?key|signing|(^|[-_.])(pwd|dsn|auth|key)$/i;
/** Names that speak of a secret and hold none. */
const HARMLESS =
  /(secretname|secretref|secretkeyref|tokenexpiration\w*|automountserviceaccounttoken|imagepullsecrets|serviceaccounttoken|expirationseconds)$/i;

/** A value as it may go into a report: bounded, and sealed where it is a secret's, or looks like one by its name or by itself. */
export function shownValue(path: FieldPath, value: Json, seal: Seal): Shown {
  if (typeof value === "string" && value.startsWith("hmac:")) return { hash: value.slice(5) };
  if (isSensitive(path, value))
    return { hash: seal(typeof value === "string" ? value : JSON.stringify(value)).slice(5) };
  const clean = cleaned(path, value);
  const text = JSON.stringify(clean);
  return text.length <= MOST ? { value: clean } : { cut: `${[...text].slice(0, MOST - 1).join("")}…` };
}

/** By the name of the field, of the environment variable or of the key; and text in which a credential is recognised. */
function isSensitive(path: FieldPath, value: Json): boolean {
  if (typeof value !== "string") return false;
  if (value !== "" && redact(value) !== value) return true;
  const last = path.at(-1);
  const item = path.at(-2);
  // `env[name=DB_PASSWORD].value`
  const name =
    last === "value" && typeof item === "object" ? String(item.by === "name" ? item.value : "") : nameOf(path);
  const text = name === "" && typeof last === "number" ? nameOf(path.slice(0, -1)) : name;
  if (text === "key" && isNameOfKey(path)) return false;
  return SENSITIVE.test(text) && !HARMLESS.test(text);
}

/** Kubernetes calls by `key` which entry, label or taint is meant; what is secret is never there. */
function isNameOfKey(path: FieldPath): boolean {
  const holder = path.slice(0, -1).findLast((step) => typeof step === "string");
  if (typeof holder !== "string") return false;
  return KEY_HOLDERS.has(holder) || (holder === "items" && path.includes("volumes"));
}

const KEY_HOLDERS = new Set(["secretKeyRef", "configMapKeyRef", "tolerations", "matchExpressions", "matchFields"]);

/** A value in which those of secrets, by their name or their look, are only said to be ones. */
export function cleaned(path: FieldPath, value: Json, depth = 0): Json {
  if (depth > 40) return "…";
  if (typeof value === "string") return isSensitive(path, value) ? "‹redacted›" : value;
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      const name = isMap(item) ? item["name"] : undefined;
      const step = typeof name === "string" ? { by: "name", value: name } : index;
      // `--password`, `x`
      const before = value[index - 1];
      if (typeof item === "string" && typeof before === "string" && /^--?/.test(before) && SENSITIVE.test(before))
        return "‹redacted›";
      return cleaned([...path, step], item, depth + 1);
    });
  }
  if (!isMap(value)) return value;
  const named = typeof value["name"] === "string" ? [{ by: "name", value: value["name"] }] : [];
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      cleaned([...path, ...(key === "value" ? named : []), key], child, depth + 1),
    ]),
  );
}
