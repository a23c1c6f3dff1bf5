import { type Address, addressesOf } from "../kube/addresses.ts";
import { listAt, numberAt, textAt } from "../kube/fields.ts";
import { backendsOf, serves } from "../kube/ingress.ts";
import type { CutOffState, Denial, FieldPath, Flow, KubeObject } from "../model.ts";
import type { RecentCommit } from "../recent.ts";

export const WORKLOADS: ReadonlySet<string> = new Set(["Deployment", "StatefulSet", "DaemonSet", "CronJob"]);

/** What was taken from whom. */
export interface Lost {
  readonly ref: CutOffState["ref"];
  readonly before: KubeObject;
  /** Undefined: the object is gone. */
  readonly now: KubeObject | undefined;
  readonly clients: readonly KubeObject[];
  /** `port 80 of Service shop/api (API_URL)` */
  readonly what: string;
  /** The whole sentence, for what nobody "asks for". `{commit}` stands for the commit. */
  readonly says?: string;
  readonly flows?: readonly Flow[];
  readonly rights?: readonly Denial[];
  /** Services that are asked for and that Git does not declare: none of them may be in the cluster. */
  readonly absent?: readonly string[];
  /** Fields of the object itself in which the loss lies, where others of it have nothing to do with it. */
  readonly fields?: readonly FieldPath[];
}

export interface Asker extends Address {
  readonly client: KubeObject;
}

/** Workloads and Ingresses of a Service's namespace that name it with a port. */
export function askersOf(service: KubeObject, recent: RecentCommit): Asker[] {
  const { namespace = "", name } = service.metadata;
  const maps = here(recent, "ConfigMap", namespace);
  const inNamespace = recent.now.filter((object) => object.metadata.namespace === namespace);
  const workloads = inNamespace
    .filter((object) => WORKLOADS.has(object.kind))
    .flatMap((client) => addressesOf(client, maps).map((address) => ({ ...address, client })));
  const routes = inNamespace
    .filter((object) => object.kind === "Ingress")
    .flatMap((client) =>
      backendsOf(client).map((backend) => ({
        service: backend.service,
        port: "number" in backend.port ? backend.port.number : portNamed(backend.port.name, recent, backend.service),
        where: "backend",
        client,
      })),
    );
  return [...workloads, ...routes].filter((asker) => asker.service === name);
}

/** The number that a port of a Service had before the commit; 0: none. */
function portNamed(name: string, { before }: RecentCommit, service: string): number {
  const found = [...before.values()].find((object) => object.kind === "Service" && object.metadata.name === service);
  const port = found !== undefined && serves(found, { name }) ? listAt(found, "spec", "ports") : [];
  return (
    numberAt(
      port.find((item) => textAt(item, "name") === name),
      "port",
    ) ?? 0
  );
}

export function here({ now }: RecentCommit, kind: string, namespace: string): KubeObject[] {
  return now.filter((object) => object.kind === kind && object.metadata.namespace === namespace);
}

/** Clients of a headless Service choose the port themselves, and an ExternalName stands for whatever is there. */
export function isOpen(service: KubeObject): boolean {
  return textAt(service, "spec", "clusterIP") === "None" || textAt(service, "spec", "type") === "ExternalName";
}

export function unique(askers: readonly Asker[]): KubeObject[] {
  return [...new Set(askers.map(({ client }) => client))];
}
