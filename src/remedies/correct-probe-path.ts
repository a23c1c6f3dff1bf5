import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { type ProbeName, probeOf } from "../kube/probes.ts";
import { containerOf, type TemplateContainer } from "../kube/template.ts";
import type { Change, Finding } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, type RemedyContext, refuse } from "./remedy.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const PROBES = ["startupProbe", "livenessProbe", "readinessProbe"] as const satisfies readonly ProbeName[];

/**
 * Where programs say how they are, by the conventions of Kubernetes, Spring Boot, Prometheus, ASP.NET and others; the most
 * telling first. The top of a site comes last: it says that the program serves, which is what a probe of a path that does
 * not exist was meant to ask.
 */
const WELL_KNOWN = [
  "/healthz",
  "/health",
  "/readyz",
  "/livez",
  "/ready",
  "/live",
  "/-/healthy",
  "/-/ready",
  "/actuator/health",
  "/api/health",
  "/api/healthz",
  "/health/ready",
  "/health/live",
  "/healthcheck",
  "/status",
  "/ping",
  "/",
];

const Correction = z.strictObject({
  probe: z.enum(PROBES),
  path: z
    .string()
    .regex(/^\/[\w\-./~%]*$/, "is no path")
    .max(200),
});
type Correction = z.output<typeof Correction>;

/**
 * A probe asks a path that the program does not have: the kubelet got a 404, and so does the same question asked through the
 * API server now. The path that it is pointed to is one that the program itself answers with success, asked in the same way:
 * another probe's of the container where that works, then the well-known ones in order.
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
    if (!messagesOf(finding, context).some((text) => /statuscode: 404\b/.test(text)))
      return no("no probe was answered with 404 (not found)");
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
    const found = live === null ? null : containerOf(live, container);
    if (live === null || found === null) return refuse(`there is no container ${container}`);
    const changes: Change[] = [];
    for (const { probe, path } of probes) {
      const at = [...found.path, probe, "httpGet", "path"];
      const from = getAt(live, at);
      if (getAt(live, [...found.path, probe, "httpGet"]) === undefined)
        return refuse(`container ${container} has no ${probe} that asks by HTTP`);
      if ((from ?? "/") === path) return refuse(`${probe} of ${container} asks ${path} already`);
      changes.push({ object: finding.workload, path: at, ...(from === undefined ? {} : { from }), to: path });
    }
    const [first] = changes;
    if (first === undefined) return refuse("there is nothing to correct");
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `correct path of ${probes.map(({ probe }) => probe).join(" and ")} ${String(first.from ?? "/")} → ${String(first.to)}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
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
  const { port, scheme = "HTTP" } = probe;
  const ask = (path: string): Promise<number | null> => context.ask(container.name, { scheme, port, path });
  const now = await ask(probe.path);
  if (now === null)
    return {
      reason: `the program could not be asked on port ${port} at this moment (it is restarting, or the right to get pods/proxy is missing)`,
    };
  if (now !== 404) return null;
  const siblings = PROBES.filter((other) => other !== name).flatMap((other) => {
    const sibling = probeOf(container.spec, other);
    return sibling?.kind === "http" && sibling.port === port && sibling.path !== undefined ? [sibling.path] : [];
  });
  for (const path of new Set([...siblings, ...WELL_KNOWN])) {
    if (path === probe.path) continue;
    const status = await ask(path);
    if (status !== null && status >= 200 && status < 300) return { path, wrong: probe.path, status };
  }
  return {
    reason: `the program answers ${probe.path} of ${name} with 404, and none of the usual health paths with success; a person must say what it serves`,
  };
}

/** What the kubelet said of failing probes. */
function messagesOf(finding: Finding, { workload }: PlanContext): string[] {
  const own = "message" in finding.symptom && finding.symptom.message !== undefined ? [finding.symptom.message] : [];
  return [
    ...own,
    ...(workload?.events ?? []).filter((event) => event.reason === "Unhealthy").map((event) => event.message),
  ];
}
