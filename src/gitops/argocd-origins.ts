import { fieldAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { apiVersionOf, RESOURCES } from "../kube/resources.ts";
import type { KubeObject, ObjectRef, SourceOwner } from "../model.ts";
import { isElsewhere } from "./argocd.ts";
import { type GitPlace, gitPlaceOf, sourceOrigin } from "./argocd-source.ts";
import { isUnknown, no, type Origin, type OriginContext, type Origins, type Unknown } from "./origin.ts";
import { commitIn } from "./revision.ts";

/**
 * What an Argo CD Application deploys. `sourceHydrator` wins over `sources`, and that over `source`, as in Argo CD; of a hydrator
 * the dry source is what people edit. A source that cannot be known leaves the others known.
 */
export function originsOfApplication(application: KubeObject, context: OriginContext): Origins {
  const ref = refOf(application);
  const owner = ownerOf(application, ref);
  const places = sourcesOf(application);
  const sources = places.map(({ source }) => source);
  const references = new Map(
    sources.flatMap((source) => {
      const name = textAt(source, "ref") ?? "";
      return name === "" ? [] : [[name, referenceOf(source, context.hosts)] as const];
    }),
  );
  const answers = places
    // A source that is only referred to brings no objects.
    .filter(
      ({ source }) =>
        (textAt(source, "ref") ?? "") === "" || ["path", "chart"].some((key) => (textAt(source, key) ?? "") !== ""),
    )
    .map(({ source, path, deployed, synced }) =>
      sourceOrigin({
        application,
        ref,
        owner: deployed === undefined ? owner : { ...owner, deployed },
        source,
        path,
        references,
        hosts: context.hosts,
        synced,
      }),
    );
  const origins = answers.filter((answer): answer is Origin => !isUnknown(answer));
  const unknown = answers.filter((answer) => isUnknown(answer));
  if (origins.length > 0) return { found: true, origins, ...(unknown.length === 0 ? {} : { unknown }) };
  const [first = no("it names no source", "set spec.source of the Application")] = unknown;
  return { found: false, owner, ...first };
}

function ownerOf(application: KubeObject, ref: ObjectRef): SourceOwner {
  const generatedBy = generatorOf(application);
  const automated = mapAt(application, "spec", "syncPolicy", "automated");
  const rests =
    automated === undefined ||
    fieldAt(automated, "enabled") === false ||
    textAt(application, "metadata", "annotations", "argocd.argoproj.io/skip-reconcile") === "true";
  return {
    kind: "argocd",
    name: describeRef(ref),
    ref,
    ...(rests ? { suspended: true } : {}),
    ...(isElsewhere(application) ? { elsewhere: true } : {}),
    ...(generatedBy === undefined ? {} : { generatedBy }),
  };
}

function sourcesOf(application: KubeObject): readonly {
  readonly source: unknown;
  readonly path: readonly (string | number)[];
  readonly deployed: string | undefined;
  readonly synced?: string | undefined;
}[] {
  const hydrator = mapAt(application, "spec", "sourceHydrator");
  if (hydrator !== undefined) {
    const last = mapAt(application, "status", "sourceHydrator", "lastSuccessfulOperation");
    // The hydrated branch is what is synced: it says which dry commit runs only while both are in step.
    const inStep =
      last !== undefined && textAt(last, "hydratedSHA") === textAt(application, "status", "sync", "revision");
    return [
      {
        source: fieldAt(hydrator, "drySource"),
        path: ["spec", "sourceHydrator", "drySource"],
        deployed: inStep ? commitIn(textAt(last, "drySHA")) : undefined,
      },
    ];
  }
  // While an Application is out of step, its sync status tells what Git says, and its history what runs.
  const synced = textAt(application, "status", "sync", "status") !== "OutOfSync";
  const said = synced ? fieldAt(application, "status", "sync") : listAt(application, "status", "history").at(-1);
  const sources = listAt(application, "spec", "sources");
  if (sources.length > 0)
    return sources.map((source, index) => ({
      source,
      path: ["spec", "sources", index],
      deployed: commitIn(textAt(said, "revisions", index)),
      synced: textAt(said, "revisions", index),
    }));
  const source = mapAt(application, "spec", "source");
  return source === undefined
    ? []
    : [
        {
          source,
          path: ["spec", "source"],
          deployed: commitIn(textAt(said, "revision")),
          synced: textAt(said, "revision"),
        },
      ];
}

function referenceOf(source: unknown, hosts: readonly string[]): GitPlace | Unknown {
  const place = gitPlaceOf(source, hosts);
  return isUnknown(place) ? { ...place, reason: `the source of its values: ${place.reason}` } : place;
}

/** The ApplicationSet that makes an Application, by its owner references. */
function generatorOf(application: KubeObject): ObjectRef | undefined {
  const owner = listAt(application, "metadata", "ownerReferences").find(
    (reference) => textAt(reference, "kind") === "ApplicationSet",
  );
  const name = textAt(owner, "name");
  return name === undefined
    ? undefined
    : {
        apiVersion: apiVersionOf(RESOURCES.ApplicationSet),
        kind: "ApplicationSet",
        namespace: application.metadata.namespace ?? "",
        name,
      };
}
