import { createHash } from "node:crypto";
import { fieldAt, flagAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { apiVersionOf, RESOURCES } from "../kube/resources.ts";
import type { HelmSettings, Input, KubeObject, RemoteChart } from "../model.ts";
import { commonOf, type FluxContext, fluxGitOf, fluxOwner, ownerWith, readOf } from "./flux-source.ts";
import { releaseValues } from "./flux-values.ts";
import { fieldInput, inputName } from "./input.ts";
import { isUnknown, no, type Origin, type Origins, shown, type Unknown } from "./origin.ts";
import { fluxChart, ociChart } from "./remote-chart.ts";
import { repositoryPath } from "./repository-path.ts";

const DECLARE = "declare a source with the vendored chart in `sources` of stanch.yaml";

/** What a Flux HelmRelease deploys. Values go: `valuesFiles`, `valuesFrom`, `values`, then `valuesFrom` with a `targetPath`. */
export async function originsOfHelmRelease(object: KubeObject, context: FluxContext): Promise<Origins> {
  const owner = fluxOwner(object);
  const origin = await originOf(object, context, owner);
  return isUnknown(origin) ? { found: false, owner, ...origin } : { found: true, origins: [origin] };
}

async function originOf(
  object: KubeObject,
  context: FluxContext,
  owner: ReturnType<typeof fluxOwner>,
): Promise<Origin | Unknown> {
  if (mapAt(object, "spec", "kubeConfig") !== undefined)
    return no("it deploys to another cluster (spec.kubeConfig)", "run Stanch against that cluster");
  const chart = await chartOf(object, context);
  if (isUnknown(chart)) return chart;
  const { remote } = chart;
  const git =
    remote === undefined
      ? await fluxGitOf(fieldAt(chart.spec, "sourceRef"), chart.namespace, context)
      : { repository: `chart ${remote.chart}`, revision: {}, suspended: false };
  if (isUnknown(git)) return git;
  const path = repositoryPath([remote?.chart ?? textAt(chart.spec, "chart") ?? ""], { clamp: true });
  if (path === null || /\.(?:tgz|tar\.gz)$/.test(path))
    return no("its chart is no folder of the repository", "put the chart into the repository as a folder");
  // Of a chart that is fetched they are named from its own top.
  const files = valuesFilesOf(chart.spec, path, remote !== undefined);
  if (isUnknown(files)) return files;
  const values = await releaseValues(object, owner.ref, files.values.length > 0 && remote === undefined, context);
  if (isUnknown(values)) return values;
  const inputs: Record<string, Input> = { ...values.inputs };
  const post = listAt(object, "spec", "postRenderers").flatMap((_, index) => {
    const at = ["spec", "postRenderers", index, "kustomize"];
    const input = mapAt(object, ...at) === undefined ? null : fieldInput(object, owner.ref, at, "value");
    if (input === null) return [];
    inputs[inputName(at.join("."))] = input;
    return [inputName(at.join("."))];
  });
  const skips = textAt(object, "spec", "install", "crds") === "Skip" || flagAt(object, "spec", "install", "skipCRDs");
  const helm: HelmSettings = {
    release: releaseName(object),
    values: [...files.values, ...values.values],
    ...(values.targets.length === 0 ? {} : { targets: values.targets }),
    ...(skips ? { skipCrds: true } : {}),
    ...(files.noDefaults ? { noDefaults: true } : {}),
    ...(post.length === 0 ? {} : { post }),
  };
  const whole = ownerWith(owner, git);
  return {
    repository: git.repository,
    ...(git.revision.branch === undefined ? {} : { branch: git.revision.branch }),
    path,
    tool: "helm",
    namespace: textAt(object, "spec", "targetNamespace") || owner.ref.namespace,
    helm,
    ...commonOf(object),
    ...(remote === undefined ? {} : { remote }),
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(files.optional ? { optional: files.values } : {}),
    // By default Flux packs a chart of a Git repository anew only when its version rises.
    owner:
      textAt(chart.spec, "reconcileStrategy") === "Revision" || remote !== undefined
        ? whole
        : { ...whole, versionFile: path === "." ? "Chart.yaml" : `${path}/Chart.yaml` },
  };
}

interface Chart {
  readonly spec: unknown;
  readonly namespace: string;
  readonly remote?: RemoteChart;
}

/** The spec of its HelmChart, as it stands in the release or in an object of its own; with the chart itself where that is not in Git. */
async function chartOf(object: KubeObject, context: FluxContext): Promise<Chart | Unknown> {
  const own = object.metadata.namespace ?? "";
  const reference = mapAt(object, "spec", "chartRef");
  if (reference === undefined) {
    const spec = mapAt(object, "spec", "chart", "spec");
    if (textAt(object, "spec", "chart", "kind") === "OCIRepository")
      return no(
        "its chart comes from an OCI registry by a template, which is not looked into",
        "use chartRef with an OCIRepository",
      );
    return spec === undefined
      ? no("it names no chart", "set spec.chart or spec.chartRef")
      : located(object, spec, own, context);
  }
  const name = textAt(reference, "name") ?? "";
  const namespace = textAt(reference, "namespace") || own;
  const kind = textAt(reference, "kind") ?? "";
  if (kind === "OCIRepository") {
    const remote = await ociChart(object, { namespace, name }, context);
    return isUnknown(remote) ? remote : { spec: {}, namespace, remote };
  }
  if (kind !== "HelmChart")
    return no(`its chart comes from ${shown(kind)} ${shown(`${namespace}/${name}`)}, which is not in Git`, DECLARE);
  const ref = { apiVersion: apiVersionOf(RESOURCES.HelmChart), kind, namespace, name };
  const chart = await readOf(ref, context);
  return isUnknown(chart) ? chart : located(object, fieldAt(chart.object, "spec"), namespace, context);
}

async function located(
  object: KubeObject,
  spec: unknown,
  namespace: string,
  context: FluxContext,
): Promise<Chart | Unknown> {
  const kind = textAt(spec, "sourceRef", "kind") ?? "";
  if (kind === "GitRepository") return { spec, namespace };
  if (kind === "HelmRepository") {
    const remote = await fluxChart(object, spec, namespace, context);
    return isUnknown(remote) ? remote : { spec, namespace, remote };
  }
  const title = [textAt(spec, "chart") ?? "", textAt(spec, "version") ?? ""].filter((text) => text !== "").join(" ");
  const from = `${textAt(spec, "sourceRef", "namespace") || namespace}/${textAt(spec, "sourceRef", "name") ?? "?"}`;
  return no(`its chart ${shown(title)} comes from ${shown(kind)} ${shown(from)} and not from Git`, DECLARE);
}

/** Paths from the top of the source. They stand in the place of the chart's own `values.yaml`, so that it counts only where it is named first. */
function valuesFilesOf(
  spec: unknown,
  path: string,
  inChart: boolean,
): { readonly values: readonly string[]; readonly optional: boolean; readonly noDefaults: boolean } | Unknown {
  const listed = listAt(spec, "valuesFiles");
  const one = textAt(spec, "valuesFile") ?? "";
  const values: string[] = [];
  for (const raw of listed.length === 0 && one !== "" ? [one] : listed) {
    const file = typeof raw === "string" ? repositoryPath([raw], { clamp: true }) : null;
    if (file === null || file === ".")
      return no("an entry of valuesFiles is no file of the repository", "correct chart.spec.valuesFiles");
    values.push(inChart ? `${path}/${file}` : file);
  }
  const own = path === "." ? "values.yaml" : `${path}/values.yaml`;
  return {
    values,
    optional: values.length > 0 && flagAt(spec, "ignoreMissingValuesFiles"),
    noDefaults: values.length > 0 && values[0] !== own,
  };
}

/** https://fluxcd.io/flux/components/helm/helmreleases/#release-name: at most 53 letters, the end of a longer one as a hash. */
function releaseName(object: KubeObject): string {
  const target = textAt(object, "spec", "targetNamespace") ?? "";
  const { name } = object.metadata;
  const full = textAt(object, "spec", "releaseName") || (target === "" ? name : `${target}-${name}`);
  if (full.length <= 53) return full;
  return `${full.slice(0, 40)}-${createHash("sha256").update(full).digest("hex").slice(0, 12)}`;
}
