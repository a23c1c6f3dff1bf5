import type { KubeObject } from "../model.ts";
import { listAt, mapAt, textAt, textsAt } from "./fields.ts";
import { containersOf, podSpecOf, type TemplateContainer } from "./template.ts";

/** A Service of its own namespace that a workload names, and the port at which it asks for it. */
export interface Address {
  readonly service: string;
  readonly port: number;
  /** `REDIS_ADDR`, `args[1]`, `settings/db.url`: never a value, which may hold a password. */
  readonly where: string;
}

/** Texts that are longer are files of another kind. */
const LONGEST = 50_000;
/** Variables and keys that hold a host, or an address of some form. */
export const HOSTS =
  /(?:^|[_.-])(?:host(?:name)?|addr(?:ess)?|server|service|endpoint|url|uri|broker|upstream|dsn)s?$/i;
const SCHEMES: Readonly<Record<string, number>> = { "http://": 80, "https://": 443 };

/** Services and ports that a workload's variables, command, arguments and ConfigMaps name literally. */
export function addressesOf(workload: KubeObject, maps: readonly KubeObject[]): Address[] {
  const namespace = workload.metadata.namespace ?? "";
  const found = containersOf(workload).flatMap((container) => {
    const values = variablesOf(container, maps);
    const words = ["command", "args"].flatMap((field) =>
      listAt(container.spec, field).map((word, index) => [`${field}[${index}]`, word] as const),
    );
    return [
      ...[...values, ...words, ...filesOf(workload, container, maps)].flatMap(([where, text]) =>
        typeof text === "string" ? addressesIn(text, namespace, where) : [],
      ),
      ...pairsIn(values, namespace),
    ];
  });
  return [...new Map(found.map((address) => [JSON.stringify(address), address])).values()];
}

/** Services that a workload names with a port, and those that a variable which is called after a host has by their name alone. */
export function namesIn(workload: KubeObject, maps: readonly KubeObject[]): Omit<Address, "port">[] {
  const own = workload.metadata.namespace ?? "";
  const alone = containersOf(workload)
    .flatMap((container) => variablesOf(container, maps))
    .flatMap(([where, text]) => {
      const [service = "", ...rest] = typeof text === "string" && HOSTS.test(where) ? text.split(".") : [];
      const local = ["", own, `${own}.svc`, `${own}.svc.cluster.local`].includes(rest.join("."));
      return local && service !== "" ? [{ service, where }] : [];
    });
  return [...addressesOf(workload, maps), ...alone];
}

/** `redis:6379`, `db.shop.svc.cluster.local:5432`, `http://api/`, wherever in a text they stand. */
export function addressesIn(text: string, namespace: string, where: string): Address[] {
  if (text.length > LONGEST) return [];
  const own = `(?:\\.${namespace}(?:\\.svc(?:\\.cluster\\.local)?)?\\.?)?`;
  const pattern = new RegExp(
    `(?<![A-Za-z0-9._-])(https?://)?(?<![A-Za-z0-9._-])([a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)${own}(?::(\\d{1,5})(?![\\w.])|(?=[/"'\\s,;]|$))`,
    "g",
  );
  return [...text.matchAll(pattern)].flatMap(([, scheme, service = "", port]) => {
    const asked = port === undefined ? (scheme === undefined ? undefined : SCHEMES[scheme]) : Number(port);
    return asked === undefined || asked === 0 ? [] : [{ service, port: asked, where }];
  });
}

/** `DB_HOST` and `DB_PORT`: an address in two variables. */
function pairsIn(values: readonly (readonly [string, unknown])[], namespace: string): Address[] {
  const all = new Map(values);
  return values.flatMap(([name, value]) => {
    const stem = /^(.*?)_?(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$/i.exec(name)?.[1];
    const port = stem === undefined ? undefined : (all.get(`${stem}_PORT`) ?? all.get(`${stem}PORT`));
    if (typeof value !== "string" || typeof port !== "string" || !/^\d{1,5}$/.test(port)) return [];
    return addressesIn(`${value}:${port}`, namespace, name);
  });
}

/** Variables with literal values and those from ConfigMaps; of a name that stands twice the last counts. */
function variablesOf({ spec }: TemplateContainer, maps: readonly KubeObject[]): [string, unknown][] {
  const out = new Map<string, unknown>();
  for (const item of listAt(spec, "envFrom")) {
    const prefix = textAt(item, "prefix") ?? "";
    for (const [key, value] of Object.entries(dataOf(textAt(item, "configMapRef", "name"), maps)))
      out.set(`${prefix}${key}`, value);
  }
  for (const item of listAt(spec, "env")) {
    const name = textAt(item, "name") ?? "";
    const reference = mapAt(item, "valueFrom", "configMapKeyRef");
    const key = textAt(reference, "key");
    out.set(name, key === undefined ? textAt(item, "value") : dataOf(textAt(reference, "name"), maps)[key]);
  }
  return [...out];
}

/** Files of ConfigMaps that the container mounts. */
function filesOf(
  workload: KubeObject,
  { spec }: TemplateContainer,
  maps: readonly KubeObject[],
): (readonly [string, unknown])[] {
  const mounted = new Set(listAt(spec, "volumeMounts").map((mount) => textAt(mount, "name")));
  return listAt(podSpecOf(workload), "volumes")
    .filter((volume) => mounted.has(textAt(volume, "name")))
    .flatMap((volume) => {
      const name = textAt(volume, "configMap", "name");
      return Object.entries(dataOf(name, maps)).map(([key, value]) => [`${name}/${key}`, value] as const);
    });
}

function dataOf(name: string | undefined, maps: readonly KubeObject[]): Readonly<Record<string, string>> {
  return textsAt(maps.find((map) => map.metadata.name === name) ?? {}, "data");
}
