import { posix } from "node:path";
import type { RemoteChart } from "../model.ts";
import type { Checkout } from "../ports.ts";
import { attributeOf } from "./attributes.ts";
import { isInput } from "./input.ts";
import type { Tree } from "./tree.ts";

/** Folders with a `.gitattributes` of their own that are looked at. */
const MAX_FILES = 200;

/**
 * Says why a file of a repository may not be edited, whatever is in it: links and what lies behind them, submodules, workflows, and
 * files that `.gitattributes` calls generated.
 */
export async function protectionOf(
  checkout: Checkout,
  tree: Tree,
  remote?: RemoteChart,
): Promise<(file: string) => string | undefined> {
  // An input is edited where it stands, under the rules of that place.
  if (remote !== undefined)
    return (file) =>
      isInput(file)
        ? undefined
        : `it is said in ${file} of the chart ${remote.chart} ${remote.version}, which is not in Git: only its values are.`;
  const files = await checkout.files();
  const modes = new Map(files.map((file) => [file.path, file.mode]));
  const attributes = new Map<string, string>();
  for (const { path } of files.filter((file) => posix.basename(file.path) === ".gitattributes").slice(0, MAX_FILES)) {
    const text = await tree.read(path).catch(() => null);
    if (text !== null) attributes.set(posix.dirname(path), text);
  }
  const isGenerated = attributeOf("linguist-generated", attributes);
  return (file) => {
    for (let path = file; path !== "." && path !== "/"; path = posix.dirname(path)) {
      const mode = modes.get(path);
      const what = path === file ? "is" : `lies behind ${path}, which is`;
      if (mode === "120000") return `${file} ${what} a symbolic link.`;
      if (mode === "160000") return `${file} ${what} a submodule.`;
    }
    if (file.startsWith(".github/")) return `${file} belongs to the code host, not to the deployment.`;
    if (isGenerated(file)) return `${file} is generated (.gitattributes): the change belongs in what generates it.`;
    return undefined;
  };
}
