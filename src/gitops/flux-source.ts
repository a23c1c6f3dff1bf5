import { fieldAt, flagAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { apiVersionOf, RESOURCES } from "../kube/resources.ts";
import type { KubeObject, ObjectRef, Source, SourceOwner } from "../model.ts";
import { isUnknown, no, type OriginContext, type ReadObject, shown, type Unknown } from "./origin.ts";
import { repositoryOf } from "./repository-url.ts";
import { branchRevision, type Revision } from "./revision.ts";

/** What Flux's objects are read with. */
export interface FluxContext extends OriginContext {
  readonly read: ReadObject;
}

/** The Git repository behind a Flux source. */
export interface FluxGit {
  readonly repository: string;
  readonly revision: Revision;
  readonly suspended: boolean;
}

const DECLARE = "declare the source in `sources` of stanch.yaml";

/** Who deploys: a Kustomization or a HelmRelease. */
export function fluxOwner(object: KubeObject): SourceOwner & { readonly ref: ObjectRef } {
  const ref = refOf(object);
  return {
    kind: "flux",
    name: describeRef(ref),
    ref,
    ...(flagAt(object, "spec", "suspend") ? { suspended: true } : {}),
  };
}

/** The owner as far as its source tells: something pinned, or a source that rests. */
export function ownerWith<T extends SourceOwner>(owner: T, git: FluxGit): T {
  return {
    ...owner,
    ...(git.revision.pinned === undefined ? {} : { pinned: git.revision.pinned }),
    ...(git.suspended ? { suspended: true } : {}),
  };
}

/** Labels and annotations that Flux puts on all of it. */
export function commonOf(object: KubeObject): Pick<Source, "common"> {
  const texts = (key: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(mapAt(object, "spec", "commonMetadata", key) ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    );
  const [labels, annotations] = [texts("labels"), texts("annotations")];
  const has = (map: object): boolean => Object.keys(map).length > 0;
  return has(labels) || has(annotations)
    ? { common: { ...(has(labels) ? { labels } : {}), ...(has(annotations) ? { annotations } : {}) } }
    : {};
}

/** Where a `sourceRef` leads to in Git; its namespace is that of the object it stands in, unless it says otherwise. */
export async function fluxGitOf(
  sourceRef: unknown,
  namespace: string,
  context: FluxContext,
): Promise<FluxGit | Unknown> {
  const kind = textAt(sourceRef, "kind") ?? "";
  const name = textAt(sourceRef, "name") ?? "";
  const at = { namespace: textAt(sourceRef, "namespace") || namespace, name };
  if (name === "") return no("it names no source", "set spec.sourceRef");
  if (kind === "GitRepository") {
    const ref = { apiVersion: apiVersionOf(RESOURCES.GitRepository), kind, ...at };
    const source = await readOf(ref, context);
    return isUnknown(source) ? source : ofGitRepository(source.object, describeRef(ref), context);
  }
  const title = `${/^\w{1,50}$/.test(kind) ? kind : "a source"} ${at.namespace}/${name}`;
  if (kind !== "OCIRepository") return no(`it is deployed from ${title}, which is not in Git`, DECLARE);
  const source = await readOf({ apiVersion: apiVersionOf(RESOURCES.OCIRepository), kind, ...at }, context);
  return isUnknown(source) ? source : ofArtifact(source.object, title, context);
}

/** Reads an object that must be there. */
export async function readOf(ref: ObjectRef, context: FluxContext): Promise<{ readonly object: KubeObject } | Unknown> {
  const object = await context.read(ref);
  const title = describeRef(ref);
  if (object === undefined) return no(`${title} cannot be read`, `allow the account to get ${ref.kind} objects`);
  return object === null ? no(`${title} is not there`, "create it, or correct what refers to it") : { object };
}

function ofGitRepository(source: KubeObject, title: string, { hosts }: FluxContext): FluxGit | Unknown {
  const at = repositoryOf(fieldAt(source, "spec", "url"), hosts);
  if ("reason" in at) return no(`of ${title}: ${at.reason}`, `${DECLARE}, if it lies on your code host as well`);
  if (listAt(source, "spec", "include").length > 0)
    return no(`${title} puts other repositories into this one (spec.include)`, DECLARE);
  const revision = revisionOf(source);
  if (revision === null) return no(`spec.ref of ${title} is no branch, tag or commit`, "correct it");
  return { repository: at.repository, revision, suspended: flagAt(source, "spec", "suspend") };
}

/** https://fluxcd.io/flux/components/source/gitrepositories/#reference: the later fields win, and nothing at all is `master`. */
function revisionOf(source: KubeObject): Revision | null {
  const at = (key: string): string => textAt(source, "spec", "ref", key) ?? "";
  if (at("commit") !== "") return { pinned: `commit ${shown(at("commit"))}` };
  const name = at("name");
  if (name.startsWith("refs/heads/")) return branchRevision(name.slice("refs/heads/".length));
  if (name.startsWith("refs/tags/")) return { pinned: `tag ${shown(name.slice("refs/tags/".length))}` };
  if (name !== "") return { pinned: `reference ${shown(name)}` };
  if (at("semver") !== "") return { pinned: `version ${shown(at("semver"))}` };
  if (at("tag") !== "") return { pinned: `tag ${shown(at("tag"))}` };
  return branchRevision(at("branch") || "master");
}

/** An artifact in a registry that says of which repository and commit it was made. Which folder it holds, it does not say. */
function ofArtifact(source: KubeObject, title: string, { hosts }: FluxContext): FluxGit | Unknown {
  const about = mapAt(source, "status", "artifact", "metadata");
  const at = repositoryOf(fieldAt(about, "org.opencontainers.image.source"), hosts);
  if ("reason" in at)
    return no(`it is deployed from ${title}, an artifact that names no repository on the code host`, DECLARE);
  const [, branch = ""] =
    /^([^@]+)@sha\d*:[\da-f]+$/.exec(textAt(about, "org.opencontainers.image.revision") ?? "") ?? [];
  return {
    repository: at.repository,
    revision: { ...branchRevision(branch), pinned: `artifact of ${title}` },
    suspended: flagAt(source, "spec", "suspend"),
  };
}
