import { matchesGlob, posix } from "node:path";
import type { Checkout } from "../ports.ts";
import type { Tree } from "./tree.ts";

/**
 * Says why a file of a repository may not be edited, whatever is in it: links, submodules, workflows, and files that
 * `.gitattributes` calls generated.
 */
export async function protectionOf(checkout: Checkout, tree: Tree): Promise<(file: string) => string | undefined> {
  const modes = new Map((await checkout.files()).map((file) => [file.path, file.mode]));
  const attributes = (await tree.read(".gitattributes").catch(() => null)) ?? "";
  const generated = attributes
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ...names]) => names.some((name) => name === "linguist-generated" || name === "linguist-generated=true"))
    .flatMap(([pattern]) => (pattern === undefined || pattern === "" ? [] : [pattern.replace(/^\//, "")]));
  return (file) => {
    const mode = modes.get(file);
    if (mode === "120000") return `${file} is a symbolic link.`;
    if (mode === "160000") return `${file} is a submodule.`;
    if (file.startsWith(".github/")) return `${file} belongs to the code host, not to the deployment.`;
    if (generated.some((pattern) => matchesGlob(pattern.includes("/") ? file : posix.basename(file), pattern))) {
      return `${file} is generated (.gitattributes): the change belongs in what generates it.`;
    }
    return undefined;
  };
}
