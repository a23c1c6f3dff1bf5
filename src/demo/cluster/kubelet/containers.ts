import { randomBytes } from "node:crypto";
import type { Actor } from "../controllers/actor.ts";
import type { Image, ImageRegistry, Launch } from "../programs.ts";
import { fullReference } from "../programs.ts";
import { parseQuantity } from "../server/quantity.ts";
import type { Pod } from "../shapes.ts";
import type { Box } from "./box.ts";
import { crashDelay, firstSteps, goDuration, resolveProgram } from "./box.ts";
import { configureContainer, mountVolumes } from "./container-config.ts";
import type { Logs } from "./logs.ts";
import { probe } from "./probing.ts";

/** What containers are run with. */
export interface Runtime {
  readonly actor: Actor;
  readonly logs: Logs;
  readonly registry: ImageRegistry;
  /** References of the images that are on the node. */
  readonly pulled: Set<string>;
}

const STABLE_SECONDS = 600;

/** Takes one container of a pod a step further: pull, configure, start, probe, end, back off, restart. */
export function stepContainer(runtime: Runtime, pod: Pod, box: Box, boxes: readonly Box[], ip: string): void {
  const { timeline } = runtime.actor;
  const now = timeline.now();
  if (box.state.running !== undefined) stepRunning(runtime, pod, box, boxes, ip);
  else if (box.due > now) return;
  else if (box.state.terminated !== undefined) afterEnd(runtime, pod, box);
  else if (box.state.waiting?.reason === "ErrImagePull") pullBackOff(runtime, pod, box);
  else tryStart(runtime, pod, box);
}

function pathOf(box: Box): string {
  return `spec.${box.init ? "initContainers" : "containers"}{${box.name}}`;
}

function wait(box: Box, reason: string, message: string | undefined, due: number): void {
  box.state = { waiting: message === undefined ? { reason } : { reason, message } };
  box.ready = false;
  box.started = false;
  box.due = due;
}

function tryStart(runtime: Runtime, pod: Pod, box: Box): void {
  const { actor, registry, pulled } = runtime;
  const { events, timeline } = actor;
  const reference = box.container.image ?? "";
  const image = registry.find(reference);
  const path = pathOf(box);
  if (image === undefined) {
    events.normal(pod, "Pulling", `Pulling image "${reference}"`, path);
    const error = notFoundMessage(reference);
    events.warning(pod, "Failed", `Failed to pull image "${reference}": ${error}`, path);
    events.warning(pod, "Failed", "Error: ErrImagePull", path);
    box.pulls += 1;
    box.pulling = false;
    wait(box, "ErrImagePull", error, timeline.later(1));
    return;
  }
  if (!pulled.has(image.reference) && !box.pulling) {
    events.normal(pod, "Pulling", `Pulling image "${reference}"`, path);
    box.pulling = true;
    box.due = timeline.later(1);
    return;
  }
  if (box.pulling)
    events.normal(
      pod,
      "Pulled",
      `Successfully pulled image "${reference}" in 1s (1s including waiting). Image size: ${image.bytes} bytes.`,
      path,
    );
  else
    events.normal(
      pod,
      "Pulled",
      `Container image "${reference}" already present on machine and can be accessed by the pod`,
      path,
    );
  box.pulling = false;
  box.pulls = 0;
  pulled.add(image.reference);
  start(runtime, pod, box, image);
}

function notFoundMessage(reference: string): string {
  const full = fullReference(reference);
  return `rpc error: code = NotFound desc = failed to pull and unpack image "${full}": failed to resolve reference "${full}": ${full}: not found`;
}

function pullBackOff(runtime: Runtime, pod: Pod, box: Box): void {
  const { events, timeline } = runtime.actor;
  const reference = box.container.image ?? "";
  const text = `Back-off pulling image "${reference}"`;
  events.normal(pod, "BackOff", text, pathOf(box));
  events.warning(pod, "Failed", "Error: ImagePullBackOff", pathOf(box));
  const seconds = Math.min(300, 10 * 2 ** (box.pulls - 1));
  wait(box, "ImagePullBackOff", `${text}: ErrImagePull: ${box.state.waiting?.message ?? ""}`, timeline.later(seconds));
}

function start(runtime: Runtime, pod: Pod, box: Box, image: Image): void {
  const { actor, logs } = runtime;
  const { events, timeline } = actor;
  const { container } = box;
  const configured = configureContainer(actor, pod, container);
  if ("problem" in configured) {
    events.warning(pod, "Failed", `Error: ${configured.problem}`, pathOf(box));
    wait(box, "CreateContainerConfigError", configured.problem, timeline.later(12));
    return;
  }
  const mounted = mountVolumes(actor, pod, container);
  const files = "files" in mounted ? mounted.files : {};
  const launch: Launch = {
    image: image.reference,
    command: container.command ?? [],
    args: container.args ?? [],
    env: configured.env,
    files,
  };
  const program = resolveProgram(image.program, launch);
  if (box.id !== "") box.restarts += 1;
  if (box.state.terminated !== undefined) box.last = box.state.terminated;
  box.id = `containerd://${randomBytes(32).toString("hex")}`;
  box.image = image.reference;
  box.imageId = `${image.reference.replace(/[:@][^/]*$/, "")}@${image.digest}`;
  box.program = program;
  box.probes = {};
  events.normal(pod, "Created", "Container created", pathOf(box));
  if (program.startError !== undefined) {
    failStart(runtime, pod, box, program.startError);
    return;
  }
  events.normal(pod, "Started", "Container started", pathOf(box));
  const uid = pod.metadata.uid ?? "";
  logs.start(uid, box.name);
  const limit = container.resources?.limits?.memory;
  const { lines, exit } = firstSteps(program, launch, limit === undefined ? undefined : parseQuantity(limit));
  logs.write(uid, box.name, lines);
  box.exit =
    exit === undefined ? undefined : { at: timeline.later(exit.seconds), code: exit.code, reason: exit.reason };
  box.state = { running: { startedAt: timeline.stamp() } };
  box.startedAt = timeline.now();
  // What has no probe is started and ready at once; the probes there are come to be due.
  probe(box, [], "", timeline);
}

function failStart(runtime: Runtime, pod: Pod, box: Box, error: string): void {
  const { events, timeline } = runtime.actor;
  const message = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${error}: unknown`;
  events.warning(pod, "Failed", `Error: ${message}`, pathOf(box));
  box.crashes += 1;
  const finishedAt = timeline.stamp();
  box.last = {
    exitCode: 128,
    reason: "StartError",
    message,
    startedAt: "1970-01-01T00:00:00Z",
    finishedAt,
    containerID: box.id,
  };
  if (box.crashes > 1) events.warning(pod, "BackOff", backOffText(pod, box), pathOf(box));
  wait(box, "RunContainerError", message, timeline.later(Math.max(1, crashDelay(box.crashes))));
}

function stepRunning(runtime: Runtime, pod: Pod, box: Box, boxes: readonly Box[], ip: string): void {
  const { events, timeline } = runtime.actor;
  if (box.exit !== undefined && box.exit.at <= timeline.now()) {
    end(runtime, box, box.exit.code, box.exit.reason);
    return;
  }
  const limit = parseQuantity(box.container.resources?.limits?.memory ?? "");
  if (limit !== undefined && limit < (box.program?.memory ?? 0) && box.exit?.reason !== "OOMKilled") {
    box.exit = { at: timeline.later(0.8), code: 137, reason: "OOMKilled" };
  }
  const { unhealthy, kill } = probe(box, boxes, ip, timeline);
  for (const text of unhealthy) events.warning(pod, "Unhealthy", text, pathOf(box));
  if (kill === undefined) return;
  events.normal(pod, "Killing", `Container ${box.name} failed ${kill} probe, will be restarted`, pathOf(box));
  const code = box.program?.stopCode ?? 143;
  end(runtime, box, code, code === 0 ? "Completed" : "Error");
}

/** The program has ended: the status says so for a moment before the kubelet goes on. */
export function end(runtime: Runtime, box: Box, exitCode: number, reason: string): void {
  const { timeline } = runtime.actor;
  const startedAt = box.state.running?.startedAt ?? timeline.stamp();
  box.state = { terminated: { exitCode, reason, startedAt, finishedAt: timeline.stamp(), containerID: box.id } };
  if (timeline.secondsSince(box.startedAt) > STABLE_SECONDS) box.crashes = 0;
  box.crashes += 1;
  box.exit = undefined;
  box.ready = false;
  box.started = false;
  box.due = timeline.later(1);
}

function backOffText(pod: Pod, box: Box): string {
  return `Back-off restarting failed container ${box.name} in pod ${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

function afterEnd(runtime: Runtime, pod: Pod, box: Box): void {
  const { events, timeline } = runtime.actor;
  const ended = box.state.terminated;
  if (ended === undefined) return;
  const policy = box.init && box.container.restartPolicy === "Always" ? "Always" : (pod.spec.restartPolicy ?? "Always");
  const restart =
    policy === "Always" && !(box.init && box.container.restartPolicy !== "Always" && ended.exitCode === 0);
  if (!restart && (policy === "Never" || ended.exitCode === 0)) {
    box.due = Number.POSITIVE_INFINITY;
    return;
  }
  const seconds = crashDelay(box.crashes);
  if (seconds === 0) {
    tryStart(runtime, pod, box);
    return;
  }
  events.warning(pod, "BackOff", backOffText(pod, box), pathOf(box));
  box.last = ended;
  const text = `back-off ${goDuration(seconds)} restarting failed container=${box.name} pod=${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
  wait(box, "CrashLoopBackOff", text, timeline.later(seconds - 1));
}
