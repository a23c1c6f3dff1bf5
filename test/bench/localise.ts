/**
 * Where fields are found and what it costs: every layer of test/gitops/layers.ts in a repository of 1,000 YAML files. Renders and
 * milliseconds are of `locate` alone, the smallest of three runs. Prints a table; `--write` puts it into docs/localisation.md.
 */
import { writeFile } from "node:fs/promises";
import { deployed } from "../gitops/deployed.ts";
import { CART, FIELDS, LAYERS } from "../gitops/layers.ts";
import type { Files } from "../gitops/repository.ts";

const ROUNDS = 3;
const YAML_FILES = 1000;

/** Other people's applications in the same repository: overlays on bases, as such repositories have them. */
function neighbours(count: number): Files {
  const files: Record<string, string> = {};
  for (let app = 0; Object.keys(files).length < count; app += 1) {
    const folder = `others/app-${app}`;
    files[`${folder}/base/kustomization.yaml`] = "resources:\n  - deployment.yaml\n  - service.yaml\n";
    files[`${folder}/base/deployment.yaml`] =
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-${app}\nspec:\n  selector:\n    matchLabels: {app: app-${app}}\n  template:\n    metadata:\n      labels: {app: app-${app}}\n    spec:\n      containers:\n        - name: app\n          image: nginx:1.72\n          resources:\n            limits:\n              memory: 64Mi\n`;
    files[`${folder}/base/service.yaml`] =
      `apiVersion: v1\nkind: Service\nmetadata:\n  name: app-${app}\nspec:\n  selector: {app: app-${app}}\n  ports:\n    - port: 80\n`;
    files[`${folder}/prod/kustomization.yaml`] =
      `namespace: app-${app}\nresources:\n  - ../base\npatches:\n  - path: replicas.yaml\n`;
    files[`${folder}/prod/replicas.yaml`] =
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-${app}\nspec:\n  replicas: 3\n`;
  }
  return files;
}

interface Row {
  readonly cells: readonly string[];
  readonly ms: number;
}

async function measure(layer: (typeof LAYERS)[number]): Promise<Row> {
  const files = { ...layer.files, "acme/fleet": { ...neighbours(YAML_FILES), ...layer.files["acme/fleet"] } };
  await using world = deployed(files, layer.objects);
  let best = Number.POSITIVE_INFINITY;
  let healed = await world.heal(CART, FIELDS[layer.field], layer.to);
  for (let round = 0; round < ROUNDS; round += 1) {
    healed = await world.heal(CART, FIELDS[layer.field], layer.to);
    best = Math.min(best, healed.locateMs);
  }
  const where = healed.places.join(", ");
  const found = healed.reason === undefined ? "yes" : `no: ${healed.reason}`;
  const proved = healed.proof?.checks.every((check) => check.result !== "failed") === true ? "yes" : "no";
  process.stderr.write(`${layer.tool}: ${layer.layer}: ${Math.round(best)} ms\n`);
  return {
    cells: [
      layer.tool,
      layer.layer,
      layer.field,
      found,
      proved,
      `\`${where}\``,
      String(healed.renders),
      String(Math.round(best)),
    ],
    ms: best,
  };
}

const rows: Row[] = [];
for (const layer of LAYERS) rows.push(await measure(layer));
const head = ["tool", "layer", "field", "found", "proved", "edited at", "renders", "ms"];
const lines = [head, head.map(() => "---"), ...rows.map((row) => row.cells)].map((cells) => `| ${cells.join(" | ")} |`);
const slowest = Math.round(Math.max(...rows.map((row) => row.ms)));
const text = `# Where fields are found

Every layer that may set a field, in a repository of ${YAML_FILES.toLocaleString("en")} YAML files; slowest ${slowest} ms. Made by
\`npm run bench:localise -- --write\` on two cores; every row is also a test (test/gitops/homes.test.ts). "Renders" counts the renders of
the object's own source until the edit was found, "ms" all of the search. What is not found becomes an issue: see
[gitops.md](gitops.md#what-cannot-be-expressed).

${lines.join("\n")}
`;
if (process.argv.includes("--write")) await writeFile(new URL("../../docs/localisation.md", import.meta.url), text);
process.stdout.write(text);
