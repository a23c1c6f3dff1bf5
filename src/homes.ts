import { messageOf, StanchError } from "./errors.ts";
import { generatedChange } from "./gitops/application-set.ts";
import type { Homes } from "./gitops/input-home.ts";
import type { Origin } from "./gitops/origin.ts";
import { describeRef, keyOf, sameRef } from "./kube/ref.ts";
import type { KubeObject, ObjectRef, Source } from "./model.ts";
import type { Cluster } from "./ports.ts";
import type { Workbench } from "./workbench.ts";

type Doors = {
  readonly workbench: Pick<Workbench, "find" | "roots" | "open" | "deployers">;
  readonly cluster: Pick<Cluster, "get">;
};

/** Where the inputs of sources stand in Git. */
export function homesOf({ workbench, cluster }: Doors): Homes {
  return {
    object: (ref, from) => homeOf(ref, from, { workbench, cluster }).catch((error: unknown) => unknown(ref, error)),
    async file(repository, branch) {
      return { checkout: await workbench.open(repository, branch), roots: [] };
    },
  };
}

/** A home that cannot be read or rendered is an answer like any other; a code host that is out of reach comes back. */
function unknown(ref: ObjectRef, error: unknown): { found: false; reason: string; hint: string } {
  if (!(error instanceof StanchError) || !["render", "config", "forbidden"].includes(error.code)) throw error;
  const reason = `where ${describeRef(ref)} comes from is not known: ${messageOf(error)}`;
  return { found: false, reason, hint: error.hint ?? "Make the change by hand." };
}

async function homeOf(ref: ObjectRef, from: Source, { workbench, cluster }: Doors): ReturnType<Homes["object"]> {
  const live = await cluster.get(ref);
  const generator = live === null ? null : generatorOf(live);
  const holder = generator ?? ref;
  const found = await workbench.find(holder);
  if (!found.found)
    return generator === null
      ? found
      : { ...found, reason: `${describeRef(ref)} is made by ${describeRef(generator)}, and ${found.reason}` };
  const { source, checkout } = found.bench;
  const held = generator === null ? live : await cluster.get(generator);
  const siblings = await siblingsOf(ref, generator, from, workbench);
  return {
    found: true,
    source,
    checkout,
    roots: await workbench.roots(source),
    ...(held === null ? {} : { live: held }),
    ...(generator === null || held === null || live === null
      ? {}
      : { maker: { ref: generator, change: (change) => generatedChange(change, live, held, generator) } }),
    ...(siblings.length === 0 ? {} : { siblings }),
  };
}

/** The ApplicationSet that makes an Application: what is written to the Application itself, it takes back. */
function generatorOf(object: KubeObject): ObjectRef | null {
  const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === "ApplicationSet");
  if (owner === undefined || object.kind !== "Application") return null;
  const { apiVersion, kind, name } = owner;
  return { apiVersion, kind, name, namespace: object.metadata.namespace ?? "" };
}

/**
 * What changes along with an object: every other Application of the same ApplicationSet, and what is rendered with the same object's values
 * from another repository than the source itself, whose own is looked through. It is named and not proved.
 */
async function siblingsOf(
  ref: ObjectRef,
  generator: ObjectRef | null,
  from: Source,
  workbench: Doors["workbench"],
): Promise<string[]> {
  const { all } = await workbench.deployers();
  return all
    .filter((deployer) => {
      if (sameRef(deployer.ref, ref)) return false;
      if (generator !== null && deployer.object.kind === "Application") {
        const other = generatorOf(deployer.object);
        return other !== null && sameRef(other, generator);
      }
      if (!deployer.origins.found || (from.owner.ref !== undefined && sameRef(deployer.ref, from.owner.ref)))
        return false;
      return deployer.origins.origins.some(
        (origin) =>
          !isLookedThrough(origin, from) &&
          Object.values(origin.inputs ?? {}).some(({ home }) => "object" in home && keyOf(home.object) === keyOf(ref)),
      );
    })
    .map((deployer) => describeRef(deployer.ref));
}

/** Is it among the roots of the source, which are rendered with the edit? */
function isLookedThrough({ repository, branch, remote }: Origin, from: Source): boolean {
  return (
    repository === from.repository &&
    (branch === undefined || branch === from.branch) &&
    remote?.version === from.remote?.version
  );
}
