import { fieldAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { describeRef } from "../kube/ref.ts";
import { apiVersionOf, RESOURCES } from "../kube/resources.ts";
import type { KubeObject, ObjectRef, RemoteChart } from "../model.ts";
import { type FluxContext, readOf } from "./flux-source.ts";
import { isUnknown, no, shown, type Unknown } from "./origin.ts";

const VENDOR = "declare a source with the vendored chart in `sources` of stanch.yaml";

/** One version and no range of them. */
function isExact(version: string | undefined): version is string {
  return version !== undefined && /^v?\d+\.\d+\.\d+[\w.+-]*$/.test(version);
}

/** The chart of a source of an Application, at the version that was synced where it asks for a range. */
export function argoChart(source: unknown, synced: string | undefined): RemoteChart | Unknown {
  const chart = textAt(source, "chart") ?? "";
  const asked = textAt(source, "targetRevision")?.trim();
  const version = isExact(asked) ? asked : synced;
  if (!isExact(version))
    return no(
      `its chart ${shown(`${chart} ${asked ?? ""}`)} lies in a Helm repository, and which version of it runs is not known`,
      "set targetRevision to one version",
    );
  const url = textAt(source, "repoURL") ?? "";
  // Argo CD writes registries without a scheme.
  return { url: url.includes("://") ? url : `oci://${url}`, chart, version };
}

/** The chart of a HelmRelease that comes from a HelmRepository or an OCIRepository, at the version that is installed. */
export async function fluxChart(
  release: KubeObject,
  spec: unknown,
  namespace: string,
  context: FluxContext,
): Promise<RemoteChart | Unknown> {
  const chart = textAt(spec, "chart") ?? "";
  const name = textAt(spec, "sourceRef", "name") ?? "";
  const repository = await readOf(
    refOf("HelmRepository", textAt(spec, "sourceRef", "namespace") || namespace, name),
    context,
  );
  if (isUnknown(repository))
    return { ...repository, reason: `its chart ${shown(chart)} is not known: ${repository.reason}` };
  const { object } = repository;
  const installed = textAt(listAt(release, "status", "history")[0], "chartVersion");
  const asked = textAt(spec, "version");
  const version = isExact(installed) ? installed : asked;
  const title = `its chart ${shown(chart)} comes from HelmRepository ${object.metadata.namespace ?? ""}/${name}`;
  if (!isExact(version))
    return no(`${title}, and which version of it runs is not known`, "set chart.spec.version to one version");
  if (needsSecret(object)) return no(`${title}, which needs credentials that Stanch has no part in`, VENDOR);
  return { url: textAt(object, "spec", "url") ?? "", chart, version };
}

/** The chart that an OCIRepository is, by `chartRef`. */
export async function ociChart(
  release: KubeObject,
  at: { readonly namespace: string; readonly name: string },
  context: FluxContext,
): Promise<RemoteChart | Unknown> {
  const ref = refOf("OCIRepository", at.namespace, at.name);
  const repository = await readOf(ref, context);
  if (isUnknown(repository)) return repository;
  const { object } = repository;
  const title = `its chart comes from ${describeRef(ref)}`;
  if (needsSecret(object)) return no(`${title}, which needs credentials that Stanch has no part in`, VENDOR);
  const version =
    textAt(listAt(release, "status", "history")[0], "chartVersion") ?? textAt(object, "spec", "ref", "tag");
  if (!isExact(version))
    return no(`${title}, and which version of it runs is not known`, "set spec.ref.tag to one version");
  const url = textAt(object, "spec", "url") ?? "";
  const cut = url.lastIndexOf("/");
  return { url: url.slice(0, cut), chart: url.slice(cut + 1), version };
}

function needsSecret(object: KubeObject): boolean {
  return (
    ["secretRef", "certSecretRef"].some((key) => mapAt(object, "spec", key) !== undefined) ||
    (fieldAt(object, "spec", "provider") ?? "generic") !== "generic"
  );
}

function refOf(kind: "HelmRepository" | "OCIRepository", namespace: string, name: string): ObjectRef {
  return { apiVersion: apiVersionOf(RESOURCES[kind]), kind, namespace, name };
}
