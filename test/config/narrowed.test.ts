import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { composeBase } from "../../src/compose.ts";
import { deployerNamespaces } from "../../src/config/scope.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-scope-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["{}", null],
  ["scope: {namespaces: [shop, bank], deployers: [argocd]}", ["shop", "bank", "argocd"]],
])("-n looks at one namespace, and at what deploys it wherever that may be read: %s", async (text, where) => {
  const config = join(folder, "stanch.yaml");
  await writeFile(config, text);
  const base = await composeBase({ config, namespace: ["shop"], env: {}, interactive: false });
  expect(base.config.scope.namespaces).toEqual(["shop"]);
  expect(deployerNamespaces(base.config)).toEqual(where);
});
