import type { Cluster } from "./ports.ts";
import type { Homes } from "./steps/locate-home.ts";
import type { Workbench } from "./workbench.ts";

/** Where the inputs of sources stand in Git. */
export function homesOf({
  workbench,
  cluster,
}: {
  readonly workbench: Pick<Workbench, "find" | "roots" | "open">;
  readonly cluster: Pick<Cluster, "get">;
}): Homes {
  return {
    async object(ref) {
      const found = await workbench.find(ref);
      if (!found.found) return found;
      const { source, checkout } = found.bench;
      const live = await cluster.get(ref);
      return {
        found: true,
        source,
        checkout,
        roots: await workbench.roots(source),
        ...(live === null ? {} : { live }),
      };
    },
    async file(repository, branch) {
      return { checkout: await workbench.open(repository, branch), roots: [] };
    },
  };
}
