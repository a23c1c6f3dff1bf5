import type { Source } from "../model.ts";

/** File names that make a folder a Kustomize root. */
export const KUSTOMIZATION_FILES = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

/** How a folder of a repository is rendered, by the files that lie in it: `files` are all tracked paths. */
export function detectTool(files: readonly string[], path: string): Source["tool"] {
  const prefix = path === "." || path === "" ? "" : `${path.replace(/\/+$/, "")}/`;
  const names = new Set(files.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length)));
  if (names.has("Chart.yaml")) return "helm";
  return KUSTOMIZATION_FILES.some((name) => names.has(name)) ? "kustomize" : "plain";
}
