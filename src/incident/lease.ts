import { StanchError } from "../errors.ts";
import type { KubeObject } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

export interface HeldLease {
  /** Renews; throws StanchError `lease` when another run has taken over, so that this one stops writing. */
  renew(): Promise<void>;
  release(): Promise<void>;
}

interface LeaseSpec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
}

/**
 * Takes the Lease `stanch` (coordination.k8s.io), so that two runs never act at once. Throws StanchError `lease` when a
 * live run holds it. A holder silent for longer than its duration is taken over, by compare and swap.
 */
export async function takeLease(
  cluster: Cluster,
  clock: Clock,
  options: { readonly namespace: string; readonly holder: string; readonly durationMs: number },
): Promise<HeldLease> {
  const ref = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: options.namespace, name: "stanch" };
  const spec = (): LeaseSpec => ({
    holderIdentity: options.holder,
    leaseDurationSeconds: Math.ceil(options.durationMs / 1000),
    acquireTime: micro(clock.now()),
    renewTime: micro(clock.now()),
  });

  let held: KubeObject;
  const found = await cluster.get(ref);
  if (found === null) {
    try {
      held = await cluster.create({
        apiVersion: ref.apiVersion,
        kind: ref.kind,
        metadata: { name: ref.name, namespace: ref.namespace },
        spec: spec(),
      });
    } catch (error) {
      throw isTaken(error) ? busy("another run that has just started") : error;
    }
  } else {
    const now = found["spec"] as LeaseSpec | undefined;
    const holder = now?.holderIdentity ?? "";
    const until = Date.parse(now?.renewTime ?? "1970-01-01") + (now?.leaseDurationSeconds ?? 0) * 1000;
    if (holder !== "" && holder !== options.holder && until > clock.now().getTime()) throw busy(holder);
    held = await swap(found);
  }

  async function swap(from: KubeObject): Promise<KubeObject> {
    try {
      return await cluster.replace({ ...from, spec: spec() });
    } catch (error) {
      throw isTaken(error) ? busy("another run") : error;
    }
  }
  function busy(who: string): StanchError {
    return new StanchError("lease", `another run is at work: ${who} holds the lease ${options.namespace}/stanch`, {
      hint: `wait for it, or for ${Math.ceil(options.durationMs / 1000)} s of its silence`,
    });
  }

  return {
    async renew() {
      held = await swap(held);
    },
    async release() {
      const spec = { ...(held["spec"] as LeaseSpec), holderIdentity: "" };
      try {
        held = await cluster.replace({ ...held, spec });
      } catch (error) {
        // Somebody took over: nothing of ours is left to release.
        if (!isTaken(error)) throw error;
      }
    },
  };
}

/** Kubernetes' MicroTime. */
function micro(at: Date): string {
  return at.toISOString().replace("Z", "000Z");
}

function isTaken(error: unknown): boolean {
  return error instanceof StanchError && (error.code === "conflict" || error.code === "not-found");
}
