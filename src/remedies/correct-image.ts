import { z } from "zod";
import { formatImage, type ImageReference, parseImage, sameRepository, versionOf, withTag } from "../kube/image.ts";
import { containerOf, containersOf } from "../kube/template.ts";
import type { Evidence } from "../model.ts";
import { fact } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { defineRemedy, no, type PlanContext, type RemedyContext, refuse } from "./remedy.ts";
import { slipOf, typoOf } from "./typo.ts";
import { PATCH_PODS, PATCH_WORKLOADS } from "./workload-rights.ts";

/**
 * The tag that was meant, when the registry knows exactly one that the written one is a typo of. Tags of digits are believed to
 * be swapped, never to be another number. The repository is never guessed.
 */
export const correctImage = defineRemedy({
  id: "correct-image",
  summary: "Corrects an image tag that does not exist to the one existing tag that it is a typo of.",
  risk: "medium",
  reversibility: "inverse",
  params: z.strictObject({
    container: z.string().min(1).max(63).describe("The container, or init container."),
    image: z.string().min(1).max(500).describe("The reference that exists: the same repository, another tag."),
  }),
  needs: [...PATCH_WORKLOADS, PATCH_PODS],
  async diagnose(finding, context) {
    const { symptom, container } = finding;
    if (symptom.kind !== "ImagePull" || container === undefined)
      return no("only an image that cannot be pulled is corrected");
    if (symptom.cause === "authentication")
      return no(
        `the registry refuses ${symptom.image}: a person must grant the pull secret or correct its credentials`,
      );
    if (symptom.cause === "transient") return no("the registry has a passing fault; the pull is tried again by itself");
    if (!context.settings.remedies.image.tags)
      return no("asking registries for tags is turned off (remedies.image.tags)");
    const wrong = parseImage(symptom.image);
    if (wrong === null) return no(`${symptom.image} is no image reference`);
    const credentials = await context.credentials(symptom.image);
    const state = await context.registry.exists(symptom.image, credentials);
    if (state.state === "present")
      return no(`the registry has ${symptom.image}: the fault lies elsewhere (platform, network, a registry mirror)`);
    const tags = await context.registry.tags(symptom.image, credentials);
    if (tags === null || tags.length === 0)
      return no(
        `the registry knows no repository ${wrong.name}${state.reason === undefined ? "" : ` (${state.reason})`}; a person must say which image is meant`,
      );
    const picked = pick(wrong, tags, context, container);
    if ("reason" in picked) return no(picked.reason);
    return { applies: true, params: { container, image: picked.image }, reason: picked.why, evidence: picked.evidence };
  },
  plan({ container, image }, finding, context) {
    const live = context.live(finding.workload);
    const found = live === null ? null : containerOf(live, container);
    const from = found?.spec["image"];
    if (live === null || found === null || typeof from !== "string")
      return refuse(`there is no container ${container}`);
    const [before, after] = [parseImage(from), parseImage(image)];
    if (before === null || after === null || !sameRepository(before, after))
      return refuse(`${image} is another repository than ${from}`);
    if (from === image) return refuse(`container ${container} has ${image} already`);
    const { symptom } = finding;
    if (symptom.kind !== "ImagePull" || symptom.cause !== "terminal" || container !== finding.container)
      return refuse(`container ${container} is not one whose image cannot be pulled`);
    if (!context.settings.remedies.image.tags)
      return refuse("asking registries for tags is turned off (remedies.image.tags)");
    const [wrong, right] = [versionOf(before), versionOf(after)];
    if (slipOf(wrong, right) === null && siblingTag(before, [right], context, container) === null)
      return refuse(`${right} is no typo of ${wrong}, and no other container runs it`);
    const changes = [{ object: finding.workload, path: [...found.path, "image"], from, to: image }];
    const gitOnly = immutableBecause(changes, () => live);
    return {
      possible: true,
      changes,
      title: `correct image of ${container} ${from} → ${image}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
  async origin({ image }, { symptom }, { registry, credentials }) {
    if (symptom.kind === "ImagePull") {
      const now = await registry.exists(symptom.image, await credentials(symptom.image));
      if (now.state === "present") return `the registry has ${symptom.image}: the fault lies elsewhere`;
    }
    const { state } = await registry.exists(image, await credentials(image));
    return state === "present" ? null : `the registry does not say that it has ${image}`;
  },
});

type Picked =
  | { readonly image: string; readonly why: string; readonly evidence: Evidence[] }
  | { readonly reason: string };

function pick(wrong: ImageReference, tags: readonly string[], context: RemedyContext, container: string): Picked {
  const version = versionOf(wrong);
  const near = typoOf(version, tags);
  if (near.match !== null)
    return chosen(
      wrong,
      near.match,
      `The registry has no tag ${version} of ${wrong.name}, and exactly one that it is a typo of: ${near.match}.`,
      tags,
    );
  if (near.near.length > 0)
    return { reason: `several tags are near ${version}: ${near.near.join(", ")}. A person must say which is meant` };
  const sibling = siblingTag(wrong, tags, context, container);
  if (sibling !== null)
    return chosen(
      wrong,
      sibling,
      `The registry has no tag ${version} of ${wrong.name}; every other container of this workload that uses the repository runs ${sibling}.`,
      tags,
    );
  return {
    reason: `no tag of ${wrong.name} is near ${version} (${tags.length} tags, such as ${tags.slice(-5).join(", ")}). A person must say which is meant`,
  };
}

/** The one tag that all other containers of the same workload use of this repository. */
function siblingTag(
  wrong: ImageReference,
  tags: readonly string[],
  context: PlanContext,
  container: string,
): string | null {
  const object = context.workload?.object;
  const used = new Set(
    (object === undefined ? [] : containersOf(object)).flatMap((other) => {
      const image = other.name === container ? null : parseImage(String(other.spec["image"] ?? ""));
      return image !== null &&
        sameRepository(image, wrong) &&
        image.tag !== undefined &&
        image.tag !== wrong.tag &&
        image.digest === undefined
        ? [image.tag]
        : [];
    }),
  );
  const [only, second] = used;
  return only !== undefined && second === undefined && tags.includes(only) ? only : null;
}

function chosen(wrong: ImageReference, tag: string, why: string, tags: readonly string[]): Picked {
  const right = withTag(wrong, tag);
  if (right === null) return { reason: `${tag} is no tag` };
  return {
    image: formatImage(right),
    why,
    evidence: [
      fact(
        "registry",
        `${wrong.registry} has ${tags.length} tags of ${wrong.repository}, ${versionOf(wrong)} is not among them, ${tag} is.`,
      ),
    ],
  };
}
