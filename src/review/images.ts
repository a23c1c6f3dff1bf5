import { parseImage } from "../kube/image.ts";
import { containersOf } from "../kube/template.ts";
import type { KubeObject } from "../model.ts";
import type { Registry } from "../ports.ts";
import { problemOf } from "./checks/check.ts";
import type { Compared } from "./compare.ts";
import type { Problem } from "./model.ts";

/** References that are asked for in one review. */
const MOST = 20;

/**
 * Images that the head names, the base does not, and the registry does not have. Only registries that the base already uses are asked:
 * what a pull request says leads nobody to a new address.
 */
export async function absentImages(
  compared: readonly Compared[],
  registry: Pick<Registry, "exists">,
): Promise<ReadonlyMap<Compared, readonly Problem[]>> {
  const used = new Set(compared.flatMap(({ before }) => before.flatMap(imagesOf)).map(({ image }) => image));
  const hosts = new Set([...used].flatMap((image) => parseImage(image)?.registry ?? []));
  const answers = new Map<string, Promise<boolean>>();
  const isAbsent = (image: string): Promise<boolean> => {
    const known = answers.get(image);
    if (known !== undefined) return known;
    const host = parseImage(image)?.registry;
    const may = host !== undefined && hosts.has(host) && answers.size < MOST;
    const asked = may ? registry.exists(image).then(({ state }) => state === "absent") : Promise.resolve(false);
    answers.set(image, asked);
    return asked;
  };
  const out = new Map<Compared, Problem[]>();
  for (const one of compared) {
    const problems: Problem[] = [];
    for (const object of one.after)
      for (const { image, name, path } of imagesOf(object)) {
        if (used.has(image) || !(await isAbsent(image))) continue;
        const text = `runs ${image} in container ${name}, which its registry does not have.`;
        problems.push(problemOf("absent-image", object, "warning", text, { path, about: image }));
      }
    if (problems.length > 0) out.set(one, problems);
  }
  return out;
}

function imagesOf(object: KubeObject) {
  return containersOf(object).flatMap(({ name, path, spec }) => {
    const image = spec["image"];
    return typeof image === "string" && image !== "" ? [{ image, name, path: [...path, "image"] }] : [];
  });
}
