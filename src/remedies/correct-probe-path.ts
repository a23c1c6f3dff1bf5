import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { listAt } from "../kube/fields.ts";
import { type Probe, type ProbeName, probeOf } from "../kube/probes.ts";
import { containerOf, type TemplateContainer } from "../kube/template.ts";
import type { Change, Finding } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, type RemedyContext, refuse } from "./remedy.ts";
import { slipOf } from "./typo.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const PROBES = ["startupProbe", "livenessProbe", "readinessProbe"] as const satisfies readonly ProbeName[];

/**
 * Where programs say how they are, by the conventions of Kubernetes, Spring Boot, Prometheus, ASP.NET and others; the most
 * telling first. The top of a site comes last: it says that the program serves, which is what a probe of a path that does
 * not exist was meant to ask.
 */
const READY = ["/readyz", "/ready", "/-/ready", "/health/ready", "/actuator/health/readiness"];
const LIVE = ["/livez", "/live", "/-/healthy", "/health/live", "/actuator/health/liveness"];
const HEALTH = [
  "/healthz",
  "/health",
  "/actuator/health",
  "/api/health",
  "/api/healthz",
  "/healthcheck",
  "/status",
  "/ping",
];

/** Without a query, an escape or a step upwards: what is sent is then what is written, and leads nowhere but to the program. */
const PLAIN = /^(?!.*\/\.\.?(?:\/|$))\/[\w\-./~]{0,199}$/;

const Correction = z.strictObject({
  probe: z.enum(PROBES),
  path: z.string().max(200).regex(PLAIN, "is no plain path"),
});
type Correction = z.output<typeof Correction>;

/**
 * A probe asks a path that the program does not have: the kubelet got a 404, and so does the same question asked through the
 * API server now. The path that it is pointed to is one that the program itself answers with success, asked in the same way:
 * one that it is a typo of, one that is for such probes, another probe's of the container, then the other well-known ones.
 */
export const correctProbePath = defineRemedy({
  id: "correct-probe-path",
  summary:
    "Points a probe whose path the program answers with 404 to a health path that the program itself answers with success.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({ container: z.string().min(1).max(63), probes: z.array(Correction).min(1).max(3) }),
  needs: PATCH_WORKLOADS,
  reads: [{ group: "", resource: "pods", subresource: "proxy", verb: "get" }],
  async diagnose(finding, context) {
    const found =
      finding.container === undefined || context.workload === undefined
        ? null
        : containerOf(context.workload.object, finding.container);
    if (found === null) return no("the failing container is not known");
    if (!isNotFound(finding, context)) return no("no probe was answered with 404 (not found)");
    const probes: Correction[] = [];
    const told: string[] = [];
    for (const name of PROBES) {
      const answer = await correctionOf(name, found, context);
      if (answer === null) continue;
      if ("reason" in answer) return no(answer.reason);
      probes.push({ probe: name, path: answer.path });
      told.push(
        `${name} asks ${answer.wrong}, which the program answers with 404; it answers ${answer.path} with ${answer.status}.`,
      );
    }
    if (probes.length === 0) return no("every probe's path is answered by the program now");
    return {
      applies: true,
      params: { container: found.name, probes },
      reason: told.join(" "),
      evidence: told.map((text) => fact("status", `Asked through the API server: ${text}`)),
    };
  },
  plan({ container, probes }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null || container !== finding.container ? null : containerOf(live, container);
    if (live === null || found === null) return refuse(`there is no failing container ${container}`);
    if (!isNotFound(finding, context)) return refuse("no probe was answered with 404 (not found)");
    if (new Set(probes.map(({ probe }) => probe)).size !== probes.length) return refuse("a probe is named twice");
    const changes: Change[] = [];
    const told: string[] = [];
    for (const { probe: name, path } of probes) {
      const probe = probeOf(found.spec, name);
      if (probe?.kind !== "http" || probe.path === undefined)
        return refuse(`container ${container} has no ${name} that asks by HTTP`);
      const objection = unaskable(name, probe, found);
      if (objection !== null) return refuse(objection);
      if (probe.path === path) return refuse(`${name} of ${container} asks ${path} already`);
      if (!candidatesFor(name, probe, found).includes(path))
        return refuse(`${path} is neither a usual health path for a ${name} nor another probe's`);
      const at = [...found.path, name, "httpGet", "path"];
      const from = getAt(live, at);
      changes.push({ object: finding.workload, path: at, ...(from === undefined ? {} : { from }), to: path });
      told.push(`${name} ${probe.path} → ${path}`);
    }
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `correct path of ${told.join(" and ")}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
  async origin({ container, probes }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null ? null : containerOf(live, container);
    for (const { probe: name, path } of probes) {
      const probe = found === null ? null : probeOf(found.spec, name);
      if (probe?.port === undefined || probe.path === undefined) return `container ${container} has no such ${name}`;
      const { port, path: wrong, scheme = "HTTP" } = probe;
      const now = await context.ask(container, { scheme, port, path: wrong });
      if (now !== 404) return `the program does not answer ${wrong} of ${name} with 404 now`;
      const then = await context.ask(container, { scheme, port, path });
      if (typeof then !== "number" || then < 200 || then >= 300)
        return `the program does not answer ${path} with success now`;
    }
    return null;
  },
});

type Found = { readonly path: string; readonly wrong: string; readonly status: number } | { readonly reason: string };

/** What one probe should ask; null when its path is served, or when it does not ask by HTTP. */
async function correctionOf(
  name: ProbeName,
  container: TemplateContainer,
  context: RemedyContext,
): Promise<Found | null> {
  const probe = probeOf(container.spec, name);
  if (probe?.kind !== "http" || probe.port === undefined || probe.path === undefined) return null;
  const { port, path: wrong, scheme = "HTTP" } = probe;
  const ask = async (path: string): Promise<number | null> => {
    const answer = await context.ask(container.name, { scheme, port, path });
    return typeof answer === "number" ? answer : null;
  };
  const objection = unaskable(name, probe, container);
  if (objection !== null) return { reason: objection };
  const silent = {
    reason: `the program could not be asked on port ${port} at this moment (it is restarting, or the right to get pods/proxy is missing)`,
  };
  const now = await ask(wrong);
  if (now === null) return silent;
  if (now !== 404) return null;
  // A ready pod of the same template got success where this one gets 404: what its program serves is at fault, not the path.
  if (name !== "livenessProbe" && (context.workload?.revisions.find((one) => one.current)?.readyReplicas ?? 0) > 0)
    return {
      reason: `other pods of the same revision pass their ${name}, so that its path exists; a person must see why this pod does not serve it`,
    };
  for (const path of candidatesFor(name, probe, container)) {
    const status = await ask(path);
    // Each question that nothing answers takes seconds, and the next would be no better.
    if (status === null) return silent;
    if (status >= 200 && status < 300) return { path, wrong, status };
  }
  return {
    reason: `the program answers ${wrong} of ${name} with 404, and none of the usual health paths with success; a person must say what it serves`,
  };
}

/**
 * Paths that a probe may be pointed to, what it is a typo of first. A readiness path says whether others are there, and must
 * kill nobody; a liveness path says nothing about whether requests can be served.
 */
function candidatesFor(name: ProbeName, probe: Probe, container: TemplateContainer): string[] {
  const readiness = name === "readinessProbe";
  const siblings = PROBES.filter((other) => other !== name).flatMap((other) => {
    const sibling = probeOf(container.spec, other);
    const path = sibling?.kind === "http" && sibling.port === probe.port ? sibling.path : undefined;
    const foreign = readiness ? /live(?:ness|z)?(?![a-z])/i : /ready|readiness/i;
    return path !== undefined && PLAIN.test(path) && !foreign.test(path) ? [path] : [];
  });
  const all = new Set([...(readiness ? READY : LIVE), ...siblings, ...HEALTH]);
  const near = (path: string): number => (slipOf(probe.path ?? "", path) === null ? 1 : 0);
  return [...[...all].toSorted((a, b) => near(a) - near(b)), "/"].filter((path) => path !== probe.path);
}

/** Why the kubelet's question cannot be asked in the same way through the API server. */
function unaskable(name: ProbeName, probe: Probe, container: TemplateContainer): string | null {
  if ((probe.host ?? "") !== "") return `${name} asks another host than the pod; a person must look there`;
  if (listAt(container.spec, name, "httpGet", "httpHeaders").length > 0)
    return `${name} sends headers of its own, on which its answer may depend; a person must compare its path with what the program serves`;
  return PLAIN.test(probe.path ?? "")
    ? null
    : `the path of ${name} is more than a plain path; a person must compare it with what the program serves`;
}

/** Did the kubelet say of a failing probe that it got a 404? */
function isNotFound(finding: Finding, { workload }: PlanContext): boolean {
  const own = "message" in finding.symptom && finding.symptom.message !== undefined ? [finding.symptom.message] : [];
  const events = (workload?.events ?? []).filter((event) => event.reason === "Unhealthy");
  return [...own, ...events.map((event) => event.message)].some((text) => /statuscode: 404\b/.test(text));
}
