import { fieldAt, flagAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import type { Input, KubeObject, ObjectRef, RemoteChart, SourceOwner } from "../model.ts";
import { argoValuesFiles, type GitPlace, unknownParameter } from "./argocd-values.ts";
import { fieldInput, inputName } from "./input.ts";
import { isUnknown, no, type Origin, type Unknown } from "./origin.ts";
import { argoChart } from "./remote-chart.ts";
import { repositoryPath } from "./repository-path.ts";
import { repositoryOf } from "./repository-url.ts";
import { revisionOf } from "./revision.ts";

export type { GitPlace } from "./argocd-values.ts";

/** One source of an Application, with where it stands in it. */
export interface SourcePlace {
  readonly application: KubeObject;
  readonly ref: ObjectRef;
  readonly owner: SourceOwner;
  readonly source: unknown;
  readonly path: readonly (string | number)[];
  readonly references: ReadonlyMap<string, GitPlace | Unknown>;
  readonly hosts: readonly string[];
  /** The version of a chart that was synced. */
  readonly synced?: string | undefined;
}

/** The repository and revision of a source of an Application. */
export function gitPlaceOf(source: unknown, hosts: readonly string[]): GitPlace | Unknown {
  const at = repositoryOf(fieldAt(source, "repoURL"), hosts);
  if ("reason" in at)
    return no(at.reason, "declare the repository in `sources` of stanch.yaml, if it lies on your code host as well");
  const revision = revisionOf((textAt(source, "targetRevision") ?? "").trim());
  return revision === null
    ? no("its targetRevision is no branch, tag or commit", "correct targetRevision")
    : { repository: at.repository, revision };
}

/** One source of an Application as an origin. */
export function sourceOrigin(place: SourcePlace): Origin | Unknown {
  const { source } = place;
  const remote = (textAt(source, "chart") ?? "") === "" ? undefined : argoChart(source, place.synced);
  if (remote !== undefined && isUnknown(remote)) return remote;
  const git =
    remote === undefined
      ? gitPlaceOf(source, place.hosts)
      : { repository: `chart ${remote.chart}`, revision: { pinned: `version ${remote.version}` } };
  if (isUnknown(git)) return git;
  const origin = originIn(place, git, remote);
  return isUnknown(origin) && remote === undefined ? { ...origin, repository: git.repository } : origin;
}

function originIn(place: SourcePlace, git: GitPlace, remote: RemoteChart | undefined): Origin | Unknown {
  const { source, owner, application } = place;
  const { repository, revision } = git;
  const text = remote?.chart ?? textAt(source, "path") ?? "";
  const path = text.startsWith("/") ? null : repositoryPath([text]);
  if (path === null) return no("its path leads out of the repository", "correct the path of the source");
  const set = ["helm", "kustomize", "directory", "plugin"].filter((tool) => mapAt(source, tool) !== undefined);
  if (set.length > 1) return no(`its source sets ${set.join(" and ")} at once`, "keep one of them");
  if (set[0] === "plugin")
    return no("a plugin makes its objects, which is not run here", "change the files of the source by hand");
  const name = application.metadata.name;
  const namespace =
    textAt(source, "helm", "namespace") ||
    textAt(source, "kustomize", "namespace") ||
    textAt(application, "spec", "destination", "namespace") ||
    undefined;
  const origin: Omit<Origin, "tool"> = {
    repository,
    ...(revision.branch === undefined ? {} : { branch: revision.branch }),
    path,
    ...(namespace === undefined ? {} : { namespace }),
    overrides: overridesOf(application, path),
    ...(remote === undefined ? {} : { remote }),
    // Of a chart only the values are in Git, and those are not pinned with it.
    owner: revision.pinned === undefined || remote !== undefined ? owner : { ...owner, pinned: revision.pinned },
  };
  if (set[0] === "helm" || remote !== undefined) return helmOrigin(origin, place, git);
  if (set[0] === "kustomize") return kustomizeOrigin(origin, place);
  const folder = folderOf(source);
  if (isUnknown(folder)) return folder;
  return set[0] === "directory"
    ? { ...origin, tool: "plain", folder }
    : { ...origin, tool: "auto", folder, helm: { release: name, values: [] } };
}

/** Files that Argo CD merges over the source: any, then those of this Application, which has its namespace in front unless that is Argo CD's own. */
function overridesOf(application: KubeObject, path: string): string[] {
  const { name, namespace = "" } = application.metadata;
  const home = textAt(application, "status", "controllerNamespace");
  const names =
    home === undefined ? [name, `${namespace}_${name}`] : [home === namespace ? name : `${namespace}_${name}`];
  const folder = path === "." ? "" : `${path}/`;
  return ["", ...names.map((own) => `-${own}`)].map((own) => `${folder}.argocd-source${own}.yaml`);
}

function folderOf(source: unknown): NonNullable<Origin["folder"]> | Unknown {
  const jsonnet = mapAt(source, "directory", "jsonnet") ?? {};
  if (["extVars", "tlas", "libs"].some((key) => listAt(jsonnet, key).length > 0))
    return no("its objects are written in Jsonnet, which is not run here", "change the files of the source by hand");
  const [include, exclude] = [textAt(source, "directory", "include"), textAt(source, "directory", "exclude")];
  return {
    recurse: flagAt(source, "directory", "recurse"),
    ...(include === undefined || include === "" ? {} : { include }),
    ...(exclude === undefined || exclude === "" ? {} : { exclude }),
    nested: false,
  };
}

function helmOrigin(origin: Omit<Origin, "tool">, place: SourcePlace, git: GitPlace): Origin | Unknown {
  const { source, application, ref, path, references } = place;
  if (listAt(source, "helm", "fileParameters").length > 0)
    return no("it sets values from whole files (helm.fileParameters)", "put the values into helm.valueFiles");
  const open = unknownParameter(source);
  if (open !== null) return open;
  const files = argoValuesFiles({
    source,
    ...git,
    path: origin.path,
    references,
    environment: environmentOf(place),
  });
  if (isUnknown(files)) return files;
  const inputs: Record<string, Input> = {};
  const add = (key: string, as: "value" | "text"): string[] => {
    const at = [...path, "helm", key];
    const input = fieldInput(application, ref, at, as);
    if (input === null || (as === "text" && input.text === "")) return [];
    const name = inputName(at.join("."));
    inputs[name] = input;
    return [name];
  };
  // Argo CD ignores `values` where there is a `valuesObject`.
  const object = add("valuesObject", "value");
  const inline = object.length > 0 ? object : add("values", "text");
  const parameters = listAt(source, "helm", "parameters").length === 0 ? [] : add("parameters", "value");
  return {
    ...origin,
    tool: "helm",
    helm: {
      release: textAt(source, "helm", "releaseName") || application.metadata.name,
      values: [...files.values, ...inline],
      ...(parameters.length === 0 ? {} : { parameters }),
      ...(flagAt(source, "helm", "skipCrds") ? { skipCrds: true } : {}),
    },
    inputs,
    ...(Object.keys(files.files).length === 0 ? {} : { files: files.files }),
    ...(files.optional.length === 0 ? {} : { optional: files.optional }),
    ...(files.patterns.length === 0 ? {} : { patterns: files.patterns }),
  };
}

function kustomizeOrigin(origin: Omit<Origin, "tool">, place: SourcePlace): Origin | Unknown {
  const { source, application, ref, path } = place;
  const annotations = Object.values(mapAt(source, "kustomize", "commonAnnotations") ?? {});
  const filled = [
    ...listAt(source, "kustomize", "images"),
    ...(flagAt(source, "kustomize", "commonAnnotationsEnvsubst") ? annotations : []),
  ];
  if (filled.some((text) => typeof text === "string" && text.includes("$")))
    return no("its Kustomize settings use variables of Argo CD's build environment", "write the values out");
  if (Object.keys(mapAt(source, "kustomize") ?? {}).length === 0) return { ...origin, tool: "kustomize" };
  const at = [...path, "kustomize"];
  const input = fieldInput(application, ref, at, "value");
  if (input === null) return { ...origin, tool: "kustomize" };
  const name = inputName(at.join("."));
  return {
    ...origin,
    tool: "kustomize",
    inputs: { [name]: input },
    overlay: { input: name, dialect: "argocd" },
  };
}

/** https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/: those that do not change from commit to commit. */
function environmentOf({ application, source }: SourcePlace): Readonly<Record<string, string>> {
  const { name, namespace = "" } = application.metadata;
  const home = textAt(application, "status", "controllerNamespace") ?? namespace;
  return {
    ARGOCD_APP_NAME: home === namespace ? name : `${namespace}_${name}`,
    ARGOCD_APP_NAMESPACE: textAt(application, "spec", "destination", "namespace") ?? "",
    ARGOCD_APP_PROJECT_NAME: textAt(application, "spec", "project") ?? "",
    ARGOCD_APP_SOURCE_PATH: textAt(source, "path") ?? "",
    ARGOCD_APP_SOURCE_TARGET_REVISION: textAt(source, "targetRevision") ?? "",
  };
}
