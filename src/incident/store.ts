import { StanchError } from "../errors.ts";
import { RESOURCES } from "../kube/resources.ts";
import type { Finding, ObjectRef, Phase } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";
import { advance, type Incident, type IncidentStatus, newIncident } from "./incident.ts";

/** The incidents of the cluster. Every write carries the resourceVersion that was read: two runs never both succeed. */
export interface IncidentStore {
  list(namespaces: readonly string[] | null): Promise<Incident[]>;
  get(namespace: string, name: string): Promise<Incident | null>;
  /** The stored incident of a finding, made when there is none. */
  open(finding: Finding): Promise<Incident>;
  /** Stores a step. Throws StanchError `conflict` when somebody else wrote in between. */
  advance(incident: Incident, phase: Phase, text: string, more?: Partial<IncidentStatus>): Promise<Incident>;
  /** Stores facts that are no step: phase, message and timeline stay. Throws StanchError `conflict` as `advance` does. */
  keep(incident: Incident, facts: Partial<Omit<IncidentStatus, "phase" | "message" | "timeline">>): Promise<Incident>;
  remove(incident: Incident): Promise<void>;
}

/** Told of each step after it was stored, with the incident as it was before (null: it was just made). Must not throw. */
export type OnStep = (before: Incident | null, after: Incident) => Promise<void> | void;

export function createIncidentStore(cluster: Cluster, clock: Clock, onStep: OnStep = () => undefined): IncidentStore {
  async function collect(namespace?: string): Promise<Incident[]> {
    const out: Incident[] = [];
    for await (const page of cluster.list(RESOURCES.Incident, namespace === undefined ? {} : { namespace }))
      out.push(...(page as readonly Incident[]));
    return out;
  }
  return {
    async list(namespaces) {
      try {
        return namespaces === null ? await collect() : (await Promise.all(namespaces.map(collect))).flat();
      } catch (error) {
        throw isMissing(error) ? crdMissing(error) : error;
      }
    },
    async get(namespace, name) {
      return (await cluster.get(refTo(namespace, name))) as Incident | null;
    },
    async open(finding) {
      const fresh = newIncident(finding, clock.now());
      const found = (await cluster.get(refTo(fresh.metadata.namespace, fresh.metadata.name))) as Incident | null;
      if (found?.status !== undefined) return found;
      const { status, ...bare } = fresh;
      let made = found;
      if (made === null) {
        try {
          made = (await cluster.create(bare as Incident)) as Incident;
        } catch (error) {
          if (isMissing(error)) throw crdMissing(error);
          throw error;
        }
      }
      // The status is a subresource: a crash in between leaves an incident without one, which the next run completes.
      const stored = (await cluster.replace({ ...made, status } as Incident, { subresource: "status" })) as Incident;
      await onStep(null, stored);
      return stored;
    },
    async advance(incident, phase, text, more = {}) {
      const status = incident.status ?? newIncidentStatus(incident);
      const next = { ...incident, status: advance(status, phase, text, clock.now(), more) };
      const stored = (await cluster.replace(next, { subresource: "status" })) as Incident;
      await onStep(incident, stored);
      return stored;
    },
    async keep(incident, facts) {
      const status = incident.status ?? newIncidentStatus(incident);
      const next = { ...incident, status: { ...status, ...facts } };
      return (await cluster.replace(next, { subresource: "status" })) as Incident;
    },
    async remove(incident) {
      await cluster.delete(refTo(incident.metadata.namespace, incident.metadata.name));
    },
  };
}

function refTo(namespace: string, name: string): ObjectRef {
  return { apiVersion: "stanch.dev/v1alpha1", kind: "Incident", namespace, name };
}

function newIncidentStatus(incident: Incident): IncidentStatus {
  throw new StanchError(
    "internal",
    `incident ${incident.metadata.namespace}/${incident.metadata.name} has no status yet`,
    { hint: "the next run completes it" },
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof StanchError && error.code === "not-found";
}

function crdMissing(cause: unknown): StanchError {
  return new StanchError("config", "the cluster has no incidents.stanch.dev", {
    hint: "install the CustomResourceDefinition: kubectl apply --server-side -f deploy/crd.yaml",
    cause,
  });
}
