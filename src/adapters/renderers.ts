import { StanchError } from "../errors.ts";
import type { KubeObject, Source } from "../model.ts";
import type { Rendered, Renderer } from "../ports.ts";
import { createKustomize, type KustomizeOptions } from "./renderer-kustomize.ts";
import { renderPlain } from "./renderer-plain.ts";

export type RendererOptions = KustomizeOptions;

/**
 * Renders plain folders by reading them and Kustomize roots by running `kustomize build` or `kubectl kustomize`: without
 * plugins, functions, Helm or network, in a scrubbed environment, with a time limit and an output limit.
 */
export function createRenderer(options: RendererOptions): Renderer {
  const kustomize = createKustomize(options);
  const tools: Partial<Record<Source["tool"], (directory: string, source: Source) => Promise<Rendered>>> = {
    plain: renderPlain,
    kustomize: kustomize.render,
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
      return { ...rendered, objects: rendered.objects.map((object) => checked(object, source)) };
    },
    versions: async () => [{ tool: "plain", version: "built in" }, await kustomize.version()],
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
