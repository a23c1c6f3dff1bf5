import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { portsOf, probeOf } from "../kube/probes.ts";
import { containerOf, type TemplateContainer } from "../kube/template.ts";
import type { Change, Finding, Workload } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, refuse } from "./remedy.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const PROBES = ["startupProbe", "livenessProbe", "readinessProbe"] as const;
const HANDLERS = ["httpGet", "tcpSocket", "grpc"] as const;
const Correction = z.strictObject({
  probe: z.enum(PROBES),
  port: z.union([z.number().int().min(1).max(65_535), z.string().min(1).max(15)]).optional(),
  scheme: z.enum(["HTTP", "HTTPS"]).optional(),
});
type Correction = z.output<typeof Correction>;

/** What only a server that speaks the other protocol says. */
const WANTS_HTTP = /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake/i;
const WANTS_HTTPS = /malformed HTTP response|HTTP request to an HTTPS server|HTTPS? scheme/i;
const REFUSED = /connection refused/i;

/**
 * A probe asks a port that the container does not declare, while exactly one declared port can be meant; or it speaks the
 * wrong scheme and the server's own answer says so. Paths are never guessed.
 */
export const correctProbe = defineRemedy({
  id: "correct-probe",
  summary:
    "Corrects a probe's port to the one port that the container declares, or its scheme when the server's answer proves it.",
  risk: "low",
  reversibility: "inverse",
  params: z.strictObject({ container: z.string().min(1).max(63), probes: z.array(Correction).min(1).max(3) }),
  needs: PATCH_WORKLOADS,
  async diagnose(finding, context) {
    const found =
      finding.container === undefined || context.workload === undefined
        ? null
        : containerOf(context.workload.object, finding.container);
    if (found === null || context.workload === undefined) return no("the failing container is not known");
    const said = messagesOf(finding, context.workload);
    const declared = portsOf(found.spec).filter((port) => port.protocol === "TCP");
    const probes: Correction[] = [];
    let why = "";
    for (const name of PROBES) {
      const probe = probeOf(found.spec, name);
      if (probe === null || probe.kind === "exec") continue;
      const unknownName = probe.writtenPort !== undefined && probe.port === undefined;
      const undeclared = probe.port !== undefined && !declared.some((port) => port.port === probe.port);
      if ((unknownName || undeclared) && (unknownName || said.some((text) => REFUSED.test(text)))) {
        const [only, second] = declared;
        if (only === undefined)
          return no(
            `nothing listens on port ${probe.writtenPort} of ${name}, and the container declares no port; a person must say which one is meant`,
          );
        if (second !== undefined)
          return no(
            `nothing listens on port ${probe.writtenPort} of ${name}, and the container declares ${declared.map((port) => port.port).join(", ")}; a person must say which one is meant`,
          );
        probes.push({
          probe: name,
          port: typeof probe.writtenPort === "string" && only.name !== undefined ? only.name : only.port,
        });
        why = `The ${name} asks port ${probe.writtenPort}, where the connection is refused; the container declares exactly one port, ${only.port}.`;
      } else if (probe.kind === "http" && probe.scheme === "HTTPS" && said.some((text) => WANTS_HTTP.test(text))) {
        probes.push({ probe: name, scheme: "HTTP" });
        why = `The ${name} speaks HTTPS, and the server answers in plain HTTP.`;
      } else if (probe.kind === "http" && probe.scheme !== "HTTPS" && said.some((text) => WANTS_HTTPS.test(text))) {
        probes.push({ probe: name, scheme: "HTTPS" });
        why = `The ${name} speaks plain HTTP, and the server answers that it wants HTTPS.`;
      }
    }
    if (probes.length === 0)
      return no(
        "nothing proves another port or scheme; a person must compare the probe with what the program serves (paths are never guessed)",
      );
    return {
      applies: true,
      params: { container: found.name, probes },
      reason: why,
      evidence: [
        fact(
          "spec",
          `Container ${found.name} declares ports ${declared.map((port) => `${port.port}${port.name === undefined ? "" : ` (${port.name})`}`).join(", ") || "none"}. ${said[0] ?? ""}`,
        ),
      ],
    };
  },
  plan({ container, probes }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null ? null : containerOf(live, container);
    if (live === null || found === null) return refuse(`there is no container ${container}`);
    if (container !== finding.container) return refuse(`container ${container} is not the one that fails`);
    const said = context.workload === undefined ? [] : messagesOf(finding, context.workload);
    const changes: Change[] = [];
    for (const { probe, port, scheme } of probes) {
      const handler = HANDLERS.find((name) => getAt(live, [...found.path, probe, name]) !== undefined);
      if (handler === undefined) return refuse(`container ${container} has no ${probe} that asks a port`);
      if (port !== undefined) {
        if (!isDeclared(port, found)) return refuse(`port ${port} is not declared by container ${container}`);
        const asked = probeOf(found.spec, probe);
        if (asked?.port !== undefined && isDeclared(asked.port, found) && asked.port !== portNumber(port, found))
          return refuse(`${probe} of ${container} asks a port that the container declares`);
        changes.push(changeTo(live, finding, [...found.path, probe, handler, "port"], port));
      }
      if (scheme !== undefined) {
        if (handler !== "httpGet") return refuse(`${probe} of ${container} has no scheme`);
        const wants = scheme === "HTTP" ? WANTS_HTTP : WANTS_HTTPS;
        const is = getAt(live, [...found.path, probe, handler, "scheme"]) ?? "HTTP";
        if (is !== scheme && !said.some((text) => wants.test(text)))
          return refuse(`no answer of the server says that it wants ${scheme}`);
        changes.push(changeTo(live, finding, [...found.path, probe, handler, "scheme"], scheme));
      }
    }
    const real = changes.filter((change) => change.from !== change.to);
    const [first] = real;
    if (first === undefined) return refuse("the probe says so already");
    const gitOnly = immutableBecause(real, () => live);
    const names = probes.map(({ probe }) => probe).join(" and ");
    return {
      possible: true,
      changes: real,
      title: `correct ${String(first.path.at(-1))} of ${names} ${String(first.from)} → ${String(first.to)}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

function isDeclared(port: string | number, container: TemplateContainer): boolean {
  return portsOf(container.spec).some((declared) => declared.port === port || declared.name === port);
}

function portNumber(port: string | number, container: TemplateContainer): number | undefined {
  return portsOf(container.spec).find((declared) => declared.port === port || declared.name === port)?.port;
}

function changeTo(live: unknown, finding: Finding, path: Change["path"], to: string | number): Change {
  const from = getAt(live, path);
  return { object: finding.workload, path, ...(from === undefined ? {} : { from }), to };
}

/** What the kubelet said of failing probes of this container. */
function messagesOf(finding: Finding, workload: Workload): string[] {
  const own = "message" in finding.symptom && finding.symptom.message !== undefined ? [finding.symptom.message] : [];
  return [...own, ...workload.events.filter((event) => event.reason === "Unhealthy").map((event) => event.message)];
}
