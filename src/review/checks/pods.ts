import { listAt, mapAt, textAt } from "../../kube/fields.ts";
import { portsOf } from "../../kube/probes.ts";
import { compareQuantities, parseQuantity } from "../../kube/quantity.ts";
import { containersOf, podSpecOf, type TemplateContainer } from "../../kube/template.ts";
import type { FieldPath, KubeObject } from "../../model.ts";
import type { Problem } from "../model.ts";
import { isSet, namespaceOf, problemOf, type StaticCheck, scalarAt } from "./check.ts";

const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

/** Probes that ask a port of a name or number that their container does not declare. */
export const probePort: StaticCheck = {
  id: "probe-port",
  summary: "A probe that asks a port that its container does not declare.",
  look: ({ objects }) =>
    objects.flatMap((object) =>
      containersOf(object).flatMap((container) => PROBES.flatMap((name) => probeProblems(object, container, name))),
    ),
};

function probeProblems(object: KubeObject, { name, path, spec }: TemplateContainer, probe: string): Problem[] {
  const declared = portsOf(spec);
  return ["httpGet", "tcpSocket"].flatMap((action): Problem[] => {
    const port = scalarAt(mapAt(spec, probe, action), "port");
    if (port === undefined) return [];
    const at: FieldPath = [...path, probe, action, "port"];
    const named = typeof port === "string" && !/^\d+$/.test(port);
    if (named && !declared.some((row) => row.name === port)) {
      const text = `has a ${probe} of container ${name} that asks the port named ${port}, which the container does not have. It never succeeds.`;
      return [problemOf("probe-port", object, "warning", text, { path: at, about: `${name}/${probe}/${port}` })];
    }
    // A container may listen on what it does not declare.
    if (named || declared.length === 0 || declared.some((row) => row.port === Number(port))) return [];
    const text = `has a ${probe} of container ${name} that asks port ${port}; it declares ${declared.map((row) => row.port).join(", ")}.`;
    return [problemOf("probe-port", object, "notice", text, { path: at, about: `${name}/${probe}/${port}` })];
  });
}

/** Amounts that the API server refuses, and requests that are larger than what is allowed. */
export const quantities: StaticCheck = {
  id: "resources",
  summary: "An amount that is none, a request above its limit, or more than a LimitRange of the namespace allows.",
  look: ({ objects }) =>
    objects.flatMap((object) => {
      const ranges = objects.filter(
        (other) => other.kind === "LimitRange" && namespaceOf(other) === namespaceOf(object),
      );
      const found = containersOf(object).flatMap((container) => [
        ...amounts(object, container),
        ...beyondRange(object, container, ranges),
      ]);
      return [...found, ...claimAmounts(object)];
    }),
};

function amounts(object: KubeObject, { name, path, spec }: TemplateContainer): Problem[] {
  const out: Problem[] = [];
  for (const list of ["requests", "limits"])
    for (const [resource, value] of Object.entries(mapAt(spec, "resources", list) ?? {})) {
      const at = [...path, "resources", list, resource];
      if (parseQuantity(value) !== null) continue;
      const text = `asks for ${resource} ${JSON.stringify(value)} (${list} of container ${name}), which is no amount. The API server refuses it.`;
      out.push(problemOf("resources", object, "failure", text, { path: at }));
    }
  for (const resource of Object.keys(mapAt(spec, "resources", "requests") ?? {})) {
    const request = parseQuantity(mapAt(spec, "resources", "requests")?.[resource]);
    const limit = parseQuantity(mapAt(spec, "resources", "limits")?.[resource]);
    if (request === null || limit === null || compareQuantities(request, limit) <= 0) continue;
    const text = `requests more ${resource} than its limit allows (container ${name}). The API server refuses it.`;
    out.push(problemOf("resources", object, "failure", text, { path: [...path, "resources", "requests", resource] }));
  }
  return out;
}

/** LimitRanges refuse a container above their `max`: https://kubernetes.io/docs/concepts/policy/limit-range/ */
function beyondRange(object: KubeObject, container: TemplateContainer, ranges: readonly KubeObject[]): Problem[] {
  const { name, path, spec } = container;
  return ranges.flatMap((range) =>
    listAt(range, "spec", "limits")
      .filter((item) => textAt(item, "type") === "Container")
      .flatMap((item) =>
        Object.entries(mapAt(item, "max") ?? {}).flatMap(([resource, most]): Problem[] => {
          const limits = mapAt(spec, "resources", "limits") ?? {};
          const list = isSet(limits[resource]) ? "limits" : "requests";
          const [wanted, max] = [parseQuantity(mapAt(spec, "resources", list)?.[resource]), parseQuantity(most)];
          if (wanted === null || max === null || compareQuantities(wanted, max) <= 0) return [];
          const text = `asks for more ${resource} than LimitRange ${range.metadata.name} allows a container (${String(most)}; container ${name}). Its pods are refused.`;
          return [problemOf("resources", object, "failure", text, { path: [...path, "resources", list, resource] })];
        }),
      ),
  );
}

function claimAmounts(object: KubeObject): Problem[] {
  const claims =
    object.kind === "PersistentVolumeClaim"
      ? [{ claim: object as unknown, path: ["spec"] as FieldPath }]
      : listAt(object, "spec", "volumeClaimTemplates").map((claim, index) => ({
          claim,
          path: ["spec", "volumeClaimTemplates", index, "spec"] as FieldPath,
        }));
  return claims.flatMap(({ claim, path }): Problem[] => {
    const value = mapAt(claim, "spec", "resources", "requests")?.["storage"];
    if (!isSet(value) || parseQuantity(value) !== null) return [];
    const text = `asks for storage ${JSON.stringify(value)}, which is no amount. The API server refuses it.`;
    return [problemOf("resources", object, "failure", text, { path: [...path, "resources", "requests", "storage"] })];
  });
}

/** What the API server refuses in every pod: containers of one name, mounts of volumes that are none, no image. */
export const podShape: StaticCheck = {
  id: "pod-shape",
  summary: "Two containers of one name, a container without an image, or a mount of a volume that is not declared.",
  look: ({ objects }) => objects.flatMap(shapeProblems),
};

function shapeProblems(object: KubeObject): Problem[] {
  const spec = podSpecOf(object);
  if (spec === null) return [];
  const out: Problem[] = [];
  const containers = containersOf(object);
  const volumes = new Set(
    [...listAt(spec, "volumes").map((volume) => textAt(volume, "name"))].concat(
      listAt(object, "spec", "volumeClaimTemplates").map((claim) => textAt(claim, "metadata", "name")),
    ),
  );
  const refused = (about: string, text: string, path: FieldPath): void =>
    void out.push(problemOf("pod-shape", object, "failure", `${text} The API server refuses it.`, { path, about }));
  for (const [index, { name, path, spec: container }] of containers.entries()) {
    if (containers.findIndex((other) => other.name === name) !== index)
      refused(`twice ${name}`, `has two containers named ${name}.`, path);
    if ((textAt(container, "image") ?? "") === "")
      refused(`image ${name}`, `has no image for container ${name}.`, path);
    for (const mount of listAt(container, "volumeMounts")) {
      const volume = textAt(mount, "name") ?? "";
      if (!volumes.has(volume))
        refused(
          `mount ${name}/${volume}`,
          `mounts the volume ${volume} into container ${name}, and declares no such volume.`,
          path,
        );
    }
  }
  return out;
}
