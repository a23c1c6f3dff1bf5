import { messageOf } from "../errors.ts";
import { logText } from "../kube/log-text.ts";
import type { Evidence, Finding, Snapshot } from "../model.ts";
import type { Reading } from "../observe/reading.ts";
import { redact } from "../redact.ts";

const WITH_LOGS = new Set(["CrashLoop", "LivenessKill", "NotReady", "InitWaiting", "OOMKilled"]);

/** Adds the last lines of the failing container's log to a finding, redacted. Read only for what is about to be treated. */
export async function gather(finding: Finding, snapshot: Snapshot, reading: Reading): Promise<Finding> {
  const { logLines, logBytes } = reading.config.observe;
  const workload = snapshot.workloads.find(
    (candidate) =>
      candidate.ref.kind === finding.workload.kind &&
      candidate.ref.namespace === finding.workload.namespace &&
      candidate.ref.name === finding.workload.name,
  );
  const pod =
    workload?.pods.find((candidate) =>
      candidate.containers.some((container) => container.name === finding.container && !container.ready),
    ) ?? workload?.pods[0];
  const container = pod?.containers.find((candidate) => candidate.name === finding.container);
  if (logLines === 0 || pod === undefined || container === undefined || !WITH_LOGS.has(finding.symptom.kind))
    return finding;
  const previous = container.last !== undefined && container.terminated === undefined;
  try {
    const text = await reading.cluster.logs(
      { apiVersion: "v1", kind: "Pod", namespace: finding.workload.namespace, name: pod.name },
      container.name,
      { previous, tailLines: logLines, limitBytes: logBytes },
    );
    const lines = logText(redact(text))
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-logLines);
    if (lines.length === 0) return finding;
    const evidence: Evidence = {
      id: `e${finding.evidence.length + 1}`,
      kind: "log",
      text: lines.join("\n").slice(-4000),
    };
    return { ...finding, evidence: [...finding.evidence, evidence] };
  } catch (error) {
    // Without the right to read logs everything else still works.
    reading.gaps.push(`the log of ${finding.workload.namespace}/${pod.name} cannot be read: ${messageOf(error)}`);
    return finding;
  }
}
