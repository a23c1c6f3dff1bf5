import { createAnthropic } from "../../src/adapters/anthropic.ts";
import { advise } from "../../src/advise.ts";
import { Config } from "../../src/config/schema.ts";
import { StanchError } from "../../src/errors.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { createIncidentStore } from "../../src/incident/store.ts";
import { keyOf, refOf } from "../../src/kube/ref.ts";
import type { Diagnosis, Finding, KubeObject } from "../../src/model.ts";
import type { Clock, Cluster, Log } from "../../src/ports.ts";
import type { RemedyContext } from "../../src/remedies/remedy.ts";
import type { Run } from "../../src/run.ts";
import { diagnose } from "../../src/steps/diagnose.ts";
import { contextOf, findingOf, type World } from "../remedies/remedy-context.ts";

export const KEY = "sk-ant-test-0123456789abcdefghijklmnop";

/** A world as remedies' tests know it, with what only a model looks at. */
export interface ModelWorld extends World {
  readonly finding?: Partial<Finding>;
  readonly files?: Readonly<Record<string, string>>;
  readonly log?: string;
  readonly model?: object;
  /** Of the namespace; read only with `observe.secrets: keys`. */
  readonly secrets?: readonly KubeObject[];
}

export interface Bench {
  readonly run: Run;
  readonly context: RemedyContext;
  readonly objects: Map<string, KubeObject>;
  readonly logged: string[];
  readonly saved: Map<string, string>;
  clock: { ahead: number };
  /** Rules first, then the model where they end. */
  ask(known?: Incident): Promise<Diagnosis>;
  incident(): Incident | undefined;
}

const WHEN = Date.parse("2026-01-01T12:00:00Z");

export function bench(world: ModelWorld, url: string, over: Partial<Pick<Run, "model">> = {}): Bench {
  const objects = new Map<string, KubeObject>();
  const logged: string[] = [];
  const saved = new Map<string, string>();
  const clock = { ahead: 0 };
  const time: Clock = {
    now: () => new Date(WHEN + clock.ahead),
    async sleep(ms) {
      clock.ahead += ms;
    },
  };
  const cluster = storeOnly(objects, world);
  const config = Config.parse({
    mode: "remediate",
    ...world.settings,
    model: { enabled: true, baseUrl: url, timeout: "3s", ...world.model },
  });
  const context = { ...contextOf(world), settings: config };
  const note = (message: string, facts?: object): void => void logged.push(`${message} ${JSON.stringify(facts ?? {})}`);
  const log: Log = { debug: note, info: note, warn: note, error: note, progress: (text) => note(text) };
  let drawn = 0;
  const run = {
    config,
    cluster,
    clock: time,
    log,
    store: createIncidentStore(cluster, time),
    workbench: {
      find: async () => ({
        found: true,
        bench: { checkout: { read: async (path: string) => world.files?.[path] ?? null } },
      }),
    },
    model: {
      advisor: createAnthropic({ apiKey: KEY, baseUrl: url }),
      secrets: [KEY],
      draw() {
        drawn += 1;
        return `d${drawn.toString().padStart(17, "0")}`;
      },
      save: async (name: string, text: string) => void saved.set(name, text),
    },
    dryRun: false,
    version: "0.0.0",
    tally: { ripe: 1, hotfixes: 0, opened: 0 },
    renew: async () => undefined,
    startedAt: WHEN,
    ...over,
  } as unknown as Run;
  const finding: Finding = { ...findingOf(world), ...world.finding };
  const incident = () => [...objects.values()].find((object) => object.kind === "Incident") as Incident | undefined;
  return {
    run,
    context,
    objects,
    logged,
    saved,
    clock,
    async ask(known) {
      return advise(await diagnose(finding, context), context, run, known);
    },
    incident,
  };
}

/** Keeps what is written, as the API server would: resourceVersions move, and an old one conflicts. */
function storeOnly(objects: Map<string, KubeObject>, world: ModelWorld): Cluster {
  let version = 0;
  const put = (object: KubeObject): KubeObject => {
    version += 1;
    const stored = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    objects.set(keyOf(refOf(object)), stored);
    return structuredClone(stored);
  };
  return {
    get: async (ref: Parameters<Cluster["get"]>[0]) => structuredClone(objects.get(keyOf(ref)) ?? null),
    create: async (object: KubeObject) => put(object),
    async replace(object: KubeObject) {
      const now = objects.get(keyOf(refOf(object)));
      if (now?.metadata.resourceVersion !== object.metadata.resourceVersion)
        throw new StanchError("conflict", "somebody else wrote");
      return put(object);
    },
    logs: async () => world.log ?? "",
    async *list(resource: { kind: string }) {
      if (resource.kind === "Secret") yield world.secrets ?? [];
    },
    review: async (accesses: readonly unknown[]) => accesses.map(() => true),
  } as unknown as Cluster;
}
