import { getAt } from "../kube/field-path.ts";
import { listAt } from "../kube/fields.ts";
import type { TemplateContainer } from "../kube/template.ts";
import type { FieldPath, KubeObject } from "../model.ts";
import { serviceName } from "./service-hosts.ts";

/** A text of `command` or `args` in which a host stands. */
export interface HostInCommand {
  /** `command[2]`. */
  readonly name: string;
  readonly value: string;
  readonly path: FieldPath;
  readonly service: string;
  /** Where the Service's name begins, in order. */
  readonly starts: readonly number[];
  readonly port?: number;
}

const LONGEST = 20_000;
/** What comes right before a host: an address, or a program that asks for one. */
const BEFORE =
  /(?:\/\/|@|\b(?:nslookup|dig|host|ping|getent hosts|nc(?: -\w+)*|telnet|curl(?: -\w+)*|wget(?: -\w+)*)\s+|(?:-h|--host)[ =])["']?$/;

/**
 * Texts of a container's command and arguments that name one of the hosts as a Service of the namespace, where it stands as an address:
 * `//name`, `name:80`, `nslookup name`. A log's words are no hosts yet, and the same word elsewhere in a script may be anything.
 */
export function hostsInCommands(
  container: TemplateContainer,
  live: KubeObject,
  namespace: string,
  hosts: readonly string[],
): HostInCommand[] {
  const services = new Set(hosts.flatMap((host) => serviceName(host, namespace) ?? []));
  return ["command", "args"].flatMap((field) =>
    listAt(container.spec, field).flatMap((_, index): HostInCommand[] => {
      const path: FieldPath = [...container.path, field, index];
      const value = getAt(live, path);
      if (typeof value !== "string" || value.length > LONGEST) return [];
      return [...services].flatMap((service) => {
        const found = placesOf(value, service, namespace);
        return found === null ? [] : [{ name: `${field}[${index}]`, value, path, service, ...found }];
      });
    }),
  );
}

function placesOf(
  text: string,
  service: string,
  namespace: string,
): { readonly starts: readonly number[]; readonly port?: number } | null {
  const own = `(?:\\.${namespace}(?:\\.svc(?:\\.cluster\\.local)?)?\\.?)?`;
  // Not a part of a longer word or of another host.
  const pattern = new RegExp(
    `(?<![A-Za-z0-9._-])${service}(${own})(:(\\d{1,5}))?(?![A-Za-z0-9_-])(?!\\.[A-Za-z0-9])`,
    "g",
  );
  const clear = [...text.matchAll(pattern)].filter(
    ({ index, 1: suffix, 2: port, 0: whole }) =>
      (suffix ?? "") !== "" ||
      port !== undefined ||
      text.startsWith(".$", index + whole.length) ||
      BEFORE.test(text.slice(Math.max(0, index - 60), index)),
  );
  const port = clear.find((match) => match[3] !== undefined)?.[3];
  return clear.length === 0
    ? null
    : { starts: clear.map(({ index }) => index), ...(port === undefined ? {} : { port: Number(port) }) };
}
