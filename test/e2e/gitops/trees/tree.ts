import type { EngineRef, Remote } from "../engines.ts";
import type { Fault } from "../faults.ts";

/** A repository with the engine objects that deploy it, the faults that can be put into it, and how to render it again. */
export interface Tree {
  readonly engine: "flux" | "argocd";
  /** Files of the repository in their healthy state. */
  readonly files: Readonly<Record<string, string>>;
  /** What a person applies with kubectl; the rest comes from Git. */
  applied(remote: Remote): readonly object[];
  /** Name of what `applied` gives the engine to read the repository with. */
  readonly source: string;
  /** Every engine object, outermost first. */
  readonly engines: readonly EngineRef[];
  /** Namespaces in which faults appear, and the environment that must not notice. */
  readonly broken: readonly string[];
  readonly untouched?: string;
  readonly faults: readonly Fault[];
  /** What the engines render for the broken namespaces. */
  readonly roots: readonly RenderRoot[];
}

/** How an engine makes manifests of the repository, written down by hand: the suite does not ask the product. */
export type RenderRoot = { readonly namespace: string } & (
  | { readonly tool: "plain"; readonly path: string }
  | {
      readonly tool: "kustomize";
      readonly path: string;
      /** A file with a Flux Kustomization whose spec.patches lie over it. */
      readonly patchesOf?: string;
    }
  | {
      readonly tool: "helm";
      readonly release: string;
      readonly chart: string;
      readonly valueFiles: readonly string[];
      /** A file whose object holds values at this path, laid over the files. */
      readonly inline: { readonly file: string; readonly at: readonly string[] };
    }
);
