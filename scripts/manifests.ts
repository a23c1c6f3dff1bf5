import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseAllDocuments, stringify } from "yaml";
import type { KubeObject } from "../src/model.ts";

const CHART = new URL("../deploy/chart", import.meta.url).pathname;
const NAMESPACE = "stanch-system";
/** Values of the manifests for each mode, as `--set` takes them. */
const SETTINGS = {
  observe: [],
  propose: ["config.mode=propose", "github.existingSecret=stanch-github"],
  remediate: ["config.mode=remediate", "github.existingSecret=stanch-github", "write.enabled=true"],
} as const;
const ABOUT: Record<keyof typeof SETTINGS, string> = {
  observe: "Reads and reports; changes nothing.",
  propose: "Opens pull requests; changes nothing live. Needs the Secret stanch-github with the key token.",
  remediate: "Changes what runs, and opens the pull requests. Needs the Secret stanch-github with the key token.",
};
/** Helm's own, which mean nothing where no release stands behind them. */
const HELMS = ["helm.sh/chart", "app.kubernetes.io/managed-by"];

/** The plain manifests, rendered from the chart; null where helm is not on the PATH. */
export async function manifests(): Promise<Record<string, string> | null> {
  const out: Record<string, string> = {};
  for (const [mode, set] of Object.entries(SETTINGS)) {
    const rendered = await render(set);
    if (rendered === null) return null;
    const objects = [namespace(), ...rendered.map(withoutHelm)];
    const text = objects
      .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }))
      .join("---\n");
    out[`deploy/manifests/${mode}.yaml`] =
      `# ${ABOUT[mode as keyof typeof SETTINGS]}\n# Rendered from deploy/chart by \`npm run generate\`: do not edit it, overlay it (docs/install.md).\n${text}`;
  }
  return out;
}

async function render(set: readonly string[]): Promise<KubeObject[] | null> {
  const words = ["template", "stanch", CHART, "--namespace", NAMESPACE, "--no-hooks", "--kube-version", "1.29.0"];
  try {
    const { stdout } = await promisify(execFile)("helm", [...words, ...set.flatMap((value) => ["--set", value])], {
      maxBuffer: 16 * 1024 * 1024,
    });
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as KubeObject | null)
      .filter((object) => object !== null);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}

/** Its pods meet the restricted profile. */
function namespace(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  };
}

/** Without what speaks of a release: at any depth, because pods have labels, too. */
function withoutHelm<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutHelm) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !HELMS.includes(key) && key !== "helm.sh/resource-policy")
    .map(([key, item]) => [key, withoutHelm(item)] as const)
    .filter(([key, item]) => key !== "annotations" || Object.keys(item as object).length > 0);
  return Object.fromEntries(entries) as T;
}
