import { conditionOf } from "../kube/conditions.ts";
import { listAt, numberAt, textAt, timeOf } from "../kube/fields.ts";
import type { KubeObject } from "../model.ts";

/** Has an engine come to a commit? */
export type Deployed =
  | { readonly state: "yes" }
  /** `behind`: it says another commit. `unknown`: it says nothing that can be compared with one. */
  | { readonly state: "behind" | "unknown"; readonly seen: string };

export interface Awaited {
  readonly commit: string;
  /** Since when it is in Git. */
  readonly since: string;
  /** Is a commit the awaited one, or after it? */
  readonly contains: (commit: string) => boolean;
}

/** The commits that an engine's object deployed (of a source: fetched) last, as far as it says so. */
export function deployedRevisions(object: KubeObject): readonly string[] {
  const revisions = [
    textAt(object, "status", "sync", "revision"),
    // An Application of several sources.
    ...listAt(object, "status", "sync", "revisions"),
    textAt(object, "status", "lastAppliedRevision"),
    // Tried and not (yet) well: it applies this one or a later one next, and no earlier.
    textAt(object, "status", "lastAttemptedRevision"),
    textAt(object, "status", "artifact", "revision"),
  ];
  return revisions.flatMap((revision) => {
    // Flux: `main@sha1:1a2b…`, before 2.0 `main/1a2b…`; Argo CD: the commit alone. An image's digest is no commit.
    const commit = typeof revision === "string" ? /(?:^|@sha1:|\/)([0-9a-f]{40})$/.exec(revision)?.[1] : undefined;
    return commit === undefined ? [] : [commit];
  });
}

/**
 * Has an Application, a Kustomization or a source come to a commit? Of a HelmRelease, which names versions of charts only: what deploys it has, and it made
 * a release since.
 */
export function hasDeployed(object: KubeObject, parent: KubeObject | null, awaited: Awaited): Deployed {
  if (object.kind === "HelmRelease") return hasReleased(object, parent, awaited);
  const commits = deployedRevisions(object);
  const what = `${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
  if (commits.some(awaited.contains)) return { state: "yes" };
  const [commit] = commits;
  return commit === undefined
    ? { state: "unknown", seen: `${what} does not say which commit it deployed` }
    : { state: "behind", seen: `${what} is at ${commit.slice(0, 7)}, not at ${awaited.commit.slice(0, 7)} yet` };
}

function hasReleased(release: KubeObject, parent: KubeObject | null, awaited: Awaited): Deployed {
  const above: Deployed = parent === null ? { state: "yes" } : hasDeployed(parent, null, awaited);
  if (above.state !== "yes") return above;
  const what = `HelmRelease ${release.metadata.namespace ?? ""}/${release.metadata.name}`;
  const last = timeOf(textAt(listAt(release, "status", "history")[0], "lastDeployed"));
  const current = numberAt(release, "status", "observedGeneration") === release.metadata.generation;
  if (
    current &&
    conditionOf(release, "Ready")?.status === "True" &&
    last !== undefined &&
    last >= Date.parse(awaited.since)
  )
    return { state: "yes" };
  return { state: "behind", seen: `${what} has not been upgraded since` };
}
