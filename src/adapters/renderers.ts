import { StanchError } from "../errors.ts";
import { isBuilt } from "../gitops/composition.ts";
import { postBuild } from "../gitops/post-build.ts";
import { openTree } from "../gitops/tree.ts";
import type { KubeObject, Source } from "../model.ts";
import type { Rendered, Renderer } from "../ports.ts";
import type { RenderOptions } from "./render-program.ts";
import { createHelm } from "./renderer-helm.ts";
import { createKustomize } from "./renderer-kustomize.ts";
import { renderPlain } from "./renderer-plain.ts";

export type RendererOptions = RenderOptions;

/**
 * Renders plain folders by reading them, Kustomize roots by running `kustomize build` or `kubectl kustomize`, and charts of the
 * repository by `helm template`: without plugins, functions or network, in a scrubbed environment, with a time limit and an
 * output limit. What the owner of a source adds before, while and after it is built is added as the owner adds it.
 */
export function createRenderer(options: RendererOptions): Renderer {
  const kustomize = createKustomize(options);
  const helm = createHelm(options, kustomize);
  const tools: Partial<Record<Source["tool"], (directory: string, source: Source) => Promise<Rendered>>> = {
    plain: async (directory, source) =>
      (await isBuilt(await openTree(directory), source))
        ? kustomize.render(directory, source)
        : renderPlain(directory, source),
    kustomize: kustomize.render,
    helm: helm.render,
  };
  return {
    async render(directory, source) {
      const render = tools[source.tool];
      if (render === undefined) {
        throw new StanchError("render", `${source.path} is rendered by ${source.tool}, which is not supported`, {
          hint: "point the source at a folder of plain manifests or at a Kustomize root",
        });
      }
      const rendered = await render(directory, source);
      const objects = rendered.objects.map((object) => checked(object, source));
      return { ...rendered, objects: postBuild(objects, source).map((object) => checked(object, source)) };
    },
    versions: async () => [{ tool: "plain", version: "built in" }, await kustomize.version(), await helm.version()],
  };
}

function checked(object: KubeObject, source: Source): KubeObject {
  if (
    typeof object.apiVersion !== "string" ||
    typeof object.kind !== "string" ||
    typeof object.metadata?.name !== "string"
  ) {
    throw new StanchError("render", `${source.path} renders something without apiVersion, kind or name`);
  }
  return object;
}
