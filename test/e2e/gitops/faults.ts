import { kubectl } from "../lab.ts";
import { eventually } from "./wait.ts";

export type FaultKind = "oom" | "tag" | "probe";

/** A line that an afternoon's commit gets wrong. Its healthy text is what every remedy must come back to. */
export interface Fault {
  readonly kind: FaultKind;
  readonly namespace: string;
  readonly file: string;
  readonly good: string;
  readonly bad: string;
}

/** What each fault breaks, how it reads live, and what Stanch calls it. */
export const FAULTS = {
  oom: {
    workload: "worker",
    symptom: "OOMKilled",
    field: "/spec/template/spec/containers/0/resources/limits/memory",
    good: "128Mi",
    bad: "64Mi",
  },
  tag: {
    workload: "web",
    symptom: "ImagePull",
    field: "/spec/template/spec/containers/0/image",
    good: "nginx:1.27",
    bad: "nginx:1.72",
  },
  probe: {
    workload: "api",
    symptom: "NotReady",
    field: "/spec/template/spec/containers/0/readinessProbe/httpGet/port",
    good: 8080,
    bad: 8081,
  },
} as const;

/** What the field of a fault says live. */
export async function liveValue(fault: Pick<Fault, "kind" | "namespace">): Promise<string> {
  const { workload, field } = FAULTS[fault.kind];
  const path = field
    .slice(1)
    .split("/")
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join("");
  return kubectl(["-n", fault.namespace, "get", "deployment", workload, "-o", `jsonpath={${path}}`]);
}

/** Says what stands live instead of this value; null: it stands. */
export async function differs(
  fault: Pick<Fault, "kind" | "namespace">,
  wanted: string | number,
): Promise<string | null> {
  const live = await liveValue(fault);
  const { workload } = FAULTS[fault.kind];
  return live === String(wanted) ? null : `${fault.namespace}/${workload} says ${live}, not ${wanted}`;
}

/** Writes the field of a fault as this manager, past every engine. */
export async function writeLive(
  fault: Pick<Fault, "kind" | "namespace">,
  value: string | number,
  manager: string,
): Promise<void> {
  const { workload, field } = FAULTS[fault.kind];
  await kubectl([
    ...["-n", fault.namespace, "patch", "deployment", workload, "--type=json", `--field-manager=${manager}`],
    ...["-p", JSON.stringify([{ op: "replace", path: field, value }])],
  ]);
}

interface Pod {
  readonly status: {
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly state: { readonly waiting?: { readonly reason: string }; readonly terminated?: { reason: string } };
      readonly lastState: { readonly terminated?: { readonly reason: string } };
    }[];
  };
}

/** Waits until the cluster shows the symptom of a fault, as its kubelet says it. */
export async function untilBroken(fault: Fault): Promise<void> {
  const { workload } = FAULTS[fault.kind];
  await eventually(`${fault.namespace}/${workload} broken (${fault.kind})`, 120, async () => {
    const said = await kubectl(["-n", fault.namespace, "get", "pods", "-l", `app=${workload}`, "-o", "json"]);
    const statuses = (JSON.parse(said) as { items: Pod[] }).items.flatMap((pod) => pod.status.containerStatuses ?? []);
    if (fault.kind === "oom") {
      const reasons = statuses.flatMap((status) => [
        status.state.terminated?.reason,
        status.lastState.terminated?.reason,
      ]);
      return reasons.includes("OOMKilled") ? null : "nothing was killed for its memory yet";
    }
    if (fault.kind === "tag")
      return statuses.some((status) => /^(ErrImagePull|ImagePullBackOff)$/.test(status.state.waiting?.reason ?? ""))
        ? null
        : "every image was pulled so far";
    const events = await kubectl([
      "-n",
      fault.namespace,
      "get",
      "events",
      "--field-selector=reason=Unhealthy",
      "-o",
      "json",
    ]);
    const failures = (
      JSON.parse(events) as { items: { count?: number; message: string; involvedObject: { name: string } }[] }
    ).items
      .filter((event) => event.involvedObject.name.startsWith(`${workload}-`) && event.message.includes(":8081"))
      .reduce((sum, event) => sum + (event.count ?? 1), 0);
    return failures >= 3 ? null : `its probe failed ${failures} times so far`;
  });
}
