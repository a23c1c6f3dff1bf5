import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "rolldown";

/** SPDX identifiers that a bundle may carry into an image under Apache-2.0. */
const PERMITTED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Python-2.0",
  "Unlicense",
]);

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Licence and notice files, as they are. */
  readonly texts: readonly string[];
}

/**
 * Writes `THIRD_PARTY_LICENSES` beside a bundle: every package of which code is in it, with its licence and notice. Fails the
 * build for a package whose licence is not permitted or not said.
 */
export function thirdPartyLicenses(): Plugin {
  return {
    name: "third-party-licenses",
    async generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((output) =>
        output.type === "chunk"
          ? Object.entries(output.modules).flatMap(([id, module]) => (module.renderedLength > 0 ? [id] : []))
          : [],
      );
      const folders = new Set(modules.flatMap((id) => folderOf(id) ?? []));
      const packages = await Promise.all([...folders].map(readPackage));
      for (const { name, version, license } of packages)
        if (!isPermitted(license)) this.error(`${name} ${version} is under "${license}", which is not permitted`);
      this.emitFile({ type: "asset", fileName: "THIRD_PARTY_LICENSES", source: textOf(packages) });
    },
  };
}

/** The folder of the package that a module belongs to; null for the project's own. */
export function folderOf(id: string): string | null {
  return /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id.replace(/^\0/, ""))?.[1] ?? null;
}

/** Of `A OR B` one permitted licence is enough; of `A AND B` all must be. */
export function isPermitted(license: string): boolean {
  const words = license.replaceAll(/[()]/g, "").trim();
  return words.split(" OR ").some((choice) => choice.split(" AND ").every((one) => PERMITTED.has(one.trim())));
}

async function readPackage(folder: string): Promise<Package> {
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string | { type?: string };
  };
  const { license } = manifest;
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  return {
    name: manifest.name,
    version: manifest.version,
    license: (typeof license === "string" ? license : license?.type) ?? "unknown",
    texts: await Promise.all(files.map(async (file) => (await readFile(join(folder, file), "utf8")).trim())),
  };
}

function textOf(packages: readonly Package[]): string {
  const rule = "=".repeat(80);
  return packages
    .toSorted((a, b) => `${a.name} ${a.version}`.localeCompare(`${b.name} ${b.version}`, "en"))
    .map(({ name, version, license, texts }) =>
      [rule, `${name} ${version} (${license})`, rule, "", ...texts, ""].join("\n"),
    )
    .join("\n");
}
