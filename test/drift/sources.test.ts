import { describe, expect, it } from "vitest";
import { compareObjects, type Difference } from "../../src/drift/compare.ts";
import { makeSeal, sealed } from "../../src/drift/secret.ts";
import type { Deploys } from "../../src/drift/writer.ts";
import { formatPath, withValue } from "../../src/kube/field-path.ts";
import type { KubeObject } from "../../src/model.ts";
import { managed, object } from "./objects.ts";
import { plant } from "./planting.ts";
import { CASES, type Case } from "./sources.ts";

const MANAGER: Readonly<Record<Deploys, string>> = {
  argocd: "argocd-controller",
  kustomization: "kustomize-controller",
  helmrelease: "helm-controller",
  configuration: "kubectl",
};
const seal = makeSeal(new Uint8Array(32));

/** The object as the deployer's apply and everybody else's right left it. */
function deployed({ git, over = [], deploys = "kustomization" }: Case): KubeObject {
  const declared = object(git);
  let live: KubeObject = {
    ...declared,
    metadata: { ...declared.metadata, managedFields: [managed(MANAGER[deploys], "Apply", declared)] },
  };
  for (const { path, value, by, subresource } of over)
    live =
      by === null
        ? withValue(live, path, value)
        : plant(live, path, value, by, subresource === undefined ? {} : { subresource });
  return live;
}

function differences(git: string, live: KubeObject, deploys: Deploys = "kustomization"): readonly Difference[] {
  const found = compareObjects(sealed(object(git), seal), sealed(live, seal), { deploys }).differences;
  // What only the deployer itself wrote is no drift of an engine's.
  return found.filter(({ own }) => own !== true);
}

describe.each(CASES)("source $source: $name", (each) => {
  it("is no drift", () => {
    expect(differences(each.git, deployed(each), each.deploys)).toEqual([]);
  });

  it("hides no change beside it", () => {
    const { path, value, by = "kubectl-edit", text } = each.planted;
    const live = plant(deployed(each), path, value, by);
    const found = differences(each.git, live, each.deploys);
    const item = text.replace(/\[[^\]]*\]$/, "");
    expect(found.map((difference) => formatPath(difference.path))).toContainEqual(expect.stringContaining(item));
    expect(found.length).toBeLessThanOrEqual(2);
    if (value !== undefined) expect(found.some((difference) => difference.by.writer === "person")).toBe(true);
  });
});

it("has every source that two objects alone can show", () => {
  const shown = new Set(CASES.map(({ source }) => source));
  // The others are about roots, revisions, owners and autoscalers: judge.test.ts and survey.test.ts.
  const elsewhere = [9, 21, 22, 23, 25, 26, 27, 30, 32];
  const all = Array.from({ length: 32 }, (_, index) => index + 1);
  expect(all.filter((source) => !shown.has(source) && !elsewhere.includes(source))).toEqual([]);
});
