import { parseConfig } from "../../src/config/load.ts";
import { StanchError } from "../../src/errors.ts";
import { advance, type Incident, type IncidentStatus, newIncident } from "../../src/incident/incident.ts";
import type { Delivery, KubeObject, Notice, NoticeThread, Phase } from "../../src/model.ts";
import { createTeller } from "../../src/notify/tell.ts";
import type { Clock, Log, Receiver } from "../../src/ports.ts";
import type { Run, RunReport } from "../../src/run.ts";
import { keepLog } from "./told.ts";

export interface Desk {
  readonly clock: Clock;
  readonly incidents: Map<string, Incident>;
  /** Messages that arrived, also those whose answer was lost. */
  readonly arrived: { readonly receiver: string; readonly notice: Notice; readonly thread: NoticeThread | undefined }[];
  /** How the next messages and writes go; as usual when there is nothing in it. */
  readonly sends: ("down" | "lost" | Delivery)[];
  readonly writes: ("fails" | "conflict")[];
  add(name: string, namespace?: string): Incident;
  step(name: string, phase: Phase, text: string, more?: Partial<IncidentStatus>): void;
  /** One run as far as telling goes. */
  run(options?: {
    readonly ripe?: number;
    readonly report?: Partial<RunReport>;
    readonly error?: unknown;
    readonly log?: Log;
  }): Promise<void>;
  readonly book: () => KubeObject | undefined;
}

/** Telling without a cluster: incidents, a clock and receivers in memory. */
export function makeDesk(settings: object, start = "2026-07-01T10:00:00Z"): Desk {
  const config = parseConfig(JSON.stringify({ mode: "remediate", cluster: "test", ...settings }));
  let now = Date.parse(start);
  const clock: Clock = {
    now: () => new Date(now),
    sleep: async (ms) => {
      now += ms;
    },
  };
  const incidents = new Map<string, Incident>();
  const arrived: Desk["arrived"] = [];
  const sends: Desk["sends"] = [];
  const writes: Desk["writes"] = [];
  let object: KubeObject | undefined;
  let version = 0;
  const bump = <T extends KubeObject>(it: T): T => {
    version += 1;
    return structuredClone({ ...it, metadata: { ...it.metadata, resourceVersion: String(version) } });
  };
  const receivers = config.notify.receivers.map(
    ({ name }): Receiver => ({
      name,
      async send(notice, thread) {
        const how = sends.shift();
        if (how === "down") return { outcome: "failed", reason: "down" };
        if (typeof how === "object") return how;
        arrived.push({ receiver: name, notice, thread });
        return how === "lost" ? { outcome: "failed", reason: "no answer in time" } : { outcome: "sent" };
      },
      check: async () => ({ ok: true, text: "" }),
    }),
  );
  const store = {
    list: async () => [...incidents.values()],
    get: async (namespace: string, name: string) => incidents.get(`${namespace}/${name}`) ?? null,
    async keep(incident: Incident, facts: Partial<IncidentStatus>) {
      const how = writes.shift();
      const key = `${incident.metadata.namespace}/${incident.metadata.name}`;
      const found = incidents.get(key);
      if (how === "fails") throw new StanchError("cluster", "the API server is away");
      if (how === "conflict" && found !== undefined) incidents.set(key, bump(found));
      if (found === undefined) throw new StanchError("not-found", "it is gone");
      if (incidents.get(key)?.metadata.resourceVersion !== incident.metadata.resourceVersion)
        throw new StanchError("conflict", "somebody else was faster");
      const next = bump({ ...incident, status: { ...(incident.status as IncidentStatus), ...facts } });
      incidents.set(key, next);
      return next;
    },
  };
  const put = async (made: KubeObject): Promise<KubeObject> => {
    object = structuredClone(made);
    return object;
  };
  const cluster = { get: async () => object ?? null, create: put, replace: put };
  const key = (name: string): string => [...incidents.keys()].find((it) => it.endsWith(`/${name}`)) ?? name;
  return {
    clock,
    incidents,
    arrived,
    sends,
    writes,
    book: () => object,
    add(name, namespace = "shop") {
      const fresh = newIncident(
        {
          detector: "oom-killed",
          workload: { apiVersion: "apps/v1", kind: "Deployment", namespace, name },
          symptom: { kind: "OOMKilled" },
          summary: `Container ${name} is killed for its memory.`,
          evidence: [{ id: "e1", kind: "log", text: "password=hunter2 ERROR out of memory" }],
          since: clock.now().toISOString(),
          pods: 1,
          fingerprint: "0123456789abcdef",
        },
        clock.now(),
      );
      const made = bump({ ...fresh, metadata: { ...fresh.metadata, name, uid: `uid-${name}` } });
      incidents.set(`${namespace}/${name}`, made);
      return made;
    },
    step(name, phase, text, more = {}) {
      const found = incidents.get(key(name));
      if (found?.status === undefined) throw new Error(`no incident ${name}`);
      incidents.set(key(name), bump({ ...found, status: advance(found.status, phase, text, clock.now(), more) }));
    },
    async run({ ripe = 0, report, error, log = keepLog().log } = {}) {
      const run = {
        config,
        cluster,
        clock,
        log,
        store,
        receivers,
        dryRun: false,
        tally: { ripe, hotfixes: 0, opened: 0 },
        startedAt: clock.now().getTime(),
      } as unknown as Run;
      const teller = createTeller(run, config.mode !== "observe");
      for (const name of incidents.keys()) await teller.about(name);
      await teller.all({ last: true });
      const whole = {
        outcomes: [],
        scanned: { pods: 0, workloads: 0, namespaces: 0, calls: 0 },
        gaps: [],
        findings: {},
        seconds: 1,
        ...report,
      };
      await teller.over(error === undefined ? { report: whole } : { error });
    },
  };
}

/** A hotfix that stands, as the status has it. */
export const hotfixed = (at: Date): Partial<IncidentStatus> => ({
  hotfix: { changes: [], appliedAt: at.toISOString(), objects: {} },
  plan: {
    remedy: "raise-memory-limit",
    params: {},
    title: "raise memory limit 64Mi → 128Mi",
    risk: "low",
    reason: "",
    changes: [],
  },
  verification: { result: "recovered", seen: "1 of 1 ready", seconds: 20 },
});
export const pullRequest = (number = 1) => ({
  repository: "acme/shop",
  number,
  url: `https://github.example/acme/shop/pull/${number}`,
  branch: "stanch/x",
  base: "main",
  head: "0".repeat(40),
  draft: false,
});
export const events = (desk: Desk, receiver?: string): string[] =>
  desk.arrived.filter((it) => receiver === undefined || it.receiver === receiver).map(({ notice }) => notice.event);
