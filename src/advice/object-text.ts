import { stringify } from "yaml";
import type { Json, KubeObject } from "../model.ts";

const HIDDEN = "‹redacted›";
/** Names of variables and keys whose value is nobody's business. */
const SECRET_NAME =
  /passw(?:or)?d|pwd|passphrase|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|signing|credential|dsn|connection[_.-]?string|cookie|\bauth\b|_auth|authorization|certificate|(?<!proxy|fastcgi|uwsgi|scgi|grpc)[_.-]pass\d*$|^pass$|\.pem$|\.key$|\.p12$|\.jks$/i;
/** Fields whose name sounds like one and whose value is a name. */
const NAMES_SECRETS =
  /^(?:secretName|secretRef|secretKeyRef|imagePullSecrets|automountServiceAccountToken|serviceAccountToken|secret|secrets|tokenExpirationSeconds|key|sourceRef)$/;

/**
 * A live object as YAML for a model: without what the API server keeps for itself, without the values of Secrets, and with every value
 * hidden whose own name, or whose variable's name, says that it is one. What is left is text and is redacted as such afterwards.
 */
export function objectText(object: KubeObject): string {
  const { apiVersion, kind, metadata, status, ...rest } = object;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) => !/last-applied|managed-fields/.test(name),
  );
  const shown = {
    apiVersion,
    kind,
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    },
    ...rest,
    ...(status === undefined ? {} : { status }),
  } as unknown as Json;
  return stringify(isSecret(object.kind) ? keysOnly(shown) : hide(shown), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}

/** Does a kind hold secrets as its own content, sealed or not? */
export function isSecret(kind: string): boolean {
  return /secret/i.test(kind) && kind !== "ExternalSecret" && kind !== "SecretStore";
}

/** A value, with everything hidden in it that its name gives away. */
export function hide(value: Json, name = ""): Json {
  if (Array.isArray(value)) return value.map((item) => hide(item));
  if (typeof value !== "object" || value === null)
    return typeof value === "string" && SECRET_NAME.test(name) && !NAMES_SECRETS.test(name) && value !== ""
      ? HIDDEN
      : value;
  const variable = value["name"];
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]): [string, Json] => {
      if (key === "value" && typeof variable === "string" && typeof inner === "string")
        return [key, SECRET_NAME.test(variable) || isOpaque(inner) ? HIDDEN : inner];
      return [key, hide(inner, NAMES_SECRETS.test(key) ? "" : key)];
    }),
  );
}

function keysOnly(object: Json): Json {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return HIDDEN;
  const keys = (part: Json | undefined): Json =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.keys(part).map((key) => [key, HIDDEN]))
      : HIDDEN;
  const { apiVersion = "", kind = "", metadata, data, stringData } = object;
  const name =
    typeof metadata === "object" && metadata !== null && !Array.isArray(metadata) ? (metadata["name"] ?? "") : "";
  return {
    apiVersion,
    kind,
    metadata: { name },
    ...(data === undefined ? {} : { data: keys(data) }),
    ...(stringData === undefined ? {} : { stringData: keys(stringData) }),
  };
}

/** A variable's value that is no word, address, path or number: letters and digits in turn, from twelve characters on. */
function isOpaque(value: string): boolean {
  if (value.length < 12 || /[\s/]|:\/\/|\.(?:local|com|io|net|org|svc)\b/.test(value)) return false;
  const turns = value.match(/[A-Za-z](?=\d)|\d(?=[A-Za-z])|[a-z](?=[A-Z])/g)?.length ?? 0;
  return turns >= 4;
}
