import { generatedChange } from "./gitops/application-set.ts";
import type { Homes } from "./gitops/input-home.ts";
import { describeRef, keyOf, sameRef } from "./kube/ref.ts";
import type { KubeObject, ObjectRef } from "./model.ts";
import type { Cluster } from "./ports.ts";
import type { Workbench } from "./workbench.ts";

type Doors = {
  readonly workbench: Pick<Workbench, "find" | "roots" | "open" | "deployers">;
  readonly cluster: Pick<Cluster, "get">;
};

/** Where the inputs of sources stand in Git. */
export function homesOf({ workbench, cluster }: Doors): Homes {
  return {
    async object(ref) {
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
      const siblings = await siblingsOf(ref, generator, source.repository, workbench);
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
    },
    async file(repository, branch) {
      return { checkout: await workbench.open(repository, branch), roots: [] };
    },
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
 * What changes along with an object: every other Application of the same ApplicationSet, and what is rendered from another repository
 * with the same object's values. It is named and not proved.
 */
async function siblingsOf(
  ref: ObjectRef,
  generator: ObjectRef | null,
  repository: string,
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
      if (!deployer.origins.found) return false;
      return deployer.origins.origins.some(
        (origin) =>
          origin.repository !== repository &&
          Object.values(origin.inputs ?? {}).some(({ home }) => "object" in home && keyOf(home.object) === keyOf(ref)),
      );
    })
    .map((deployer) => describeRef(deployer.ref));
}
