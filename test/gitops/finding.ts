import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diffLines } from "diff";
import { afterEach, expect } from "vitest";
import { isQuantityPath, sameField } from "../../src/gitops/field-equality.ts";
import { findRendered } from "../../src/gitops/rendered.ts";
import { getAt } from "../../src/kube/field-path.ts";
import type { Change, FieldPath, Json, Source } from "../../src/model.ts";
import { type LocateRequest, locate } from "../../src/steps/locate.ts";
import { type Files, makeRepository, type Repository, renderer } from "./repository.ts";

/** What tests of locating share: one Deployment, and the answer as a reviewer sees it. */
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

export function repositoryOf(files: Files): Repository {
  const repository = makeRepository(files);
  open.push(repository);
  return repository;
}

export const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
export const at = (...rest: FieldPath): FieldPath => [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "cart" },
  ...rest,
];
export const MEMORY = at("resources", "limits", "memory");
export const IMAGE = at("image");

export const deployment = (name = "cart", more = ""): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: ${name}
          image: shop/cart:1.4.2 # kept in step with the chart
          resources:
            limits:
              memory: 64Mi
${more}`;

export function change(path: FieldPath, from: Json | undefined, to: Json | undefined, object = CART): Change {
  return { object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

interface Answer {
  readonly diff: readonly string[];
  readonly where: readonly string[];
  readonly renders: number;
}

/** What a reviewer sees: `file:line via`, and the changed lines of each file; or the sentence of a refusal. */
export async function find(
  repository: Repository,
  source: Source,
  changes: readonly Change[],
  more: Partial<LocateRequest> = {},
): Promise<Answer | string> {
  const before = await repository.files();
  const answer = await locate({ changes, source, checkout: repository, renderer, hints: {}, ...more });
  expect(await repository.files()).toEqual(before);
  if (!answer.found) return `${answer.already === true ? "already: " : ""}${answer.reason} ${answer.hint}`;
  for (const edit of answer.edits)
    expect(await repository.read(edit.file).then((text) => text ?? "")).toBe(edit.before);
  await expectRendered(repository, source, changes, answer.edits);
  return {
    where: answer.locations.map((location) => `${location.file}:${location.line} ${location.via}`),
    diff: answer.edits.flatMap((edit) =>
      diffLines(edit.before, edit.after).flatMap((part) =>
        part.added || part.removed
          ? part.value
              .replace(/\n$/, "")
              .split("\n")
              .map((line) => (part.added ? "+" : "-") + line)
          : [],
      ),
    ),
    renders: answer.renders,
  };
}

async function expectRendered(
  repository: Repository,
  source: Source,
  changes: readonly Change[],
  edits: readonly { file: string; after: string }[],
): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), "stanch-test-"));
  cpSync(repository.directory, copy, { recursive: true, verbatimSymlinks: true });
  for (const edit of edits) writeFileSync(join(copy, edit.file), edit.after);
  const { objects } = await renderer.render(copy, source);
  rmSync(copy, { recursive: true });
  for (const { object, path, to } of changes) {
    const value = getAt(findRendered(objects, object, source), path);
    if (to === undefined) expect(value === undefined || value === null).toBe(true);
    else if (isQuantityPath(path)) expect(sameField(path, value, to), `${value}`).toBe(true);
    else expect(value).toEqual(to);
  }
}
