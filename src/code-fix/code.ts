import type { Redactor } from "../advice/redaction.ts";
import { holdsSecrets, isWithheld } from "../advice/withheld.ts";
import { StanchError } from "../errors.ts";
import { attributeOf } from "../gitops/attributes.ts";
import type { Checkout, TrackedFile } from "../ports.ts";
import type { FileFacts } from "./file-limits.ts";
import { type Line, viewOf } from "./view.ts";

/** A text file as it stands at the checkout's revision. */
export interface Opened {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly Line[];
  /** What it is, for the limits. */
  readonly facts: FileFacts;
}

/** What of a repository may be seen. A sentence where something may not, or is not there. */
export interface Code {
  /** Tracked files whose names may be shown, in Git's order. */
  files(): Promise<readonly TrackedFile[]>;
  /** How many may not. */
  withheld(): Promise<number>;
  open(path: string): Promise<Opened | { readonly problem: string }>;
}

const WITHHELD = "That file may hold secrets and is not shown.";
/** Files kept at hand. */
const KEPT = 40;
const ATTRIBUTE_FILES = 50;
const ATTRIBUTE_BYTES = 50_000;

/** A checkout as what may be seen of it. `fileBytes`: larger files are not read. */
export function codeOf(checkout: Checkout, redactor: Redactor, fileBytes: number): Code {
  const kept = new Map<string, Promise<Opened | { readonly problem: string }>>();
  let split: Promise<{ shown: readonly TrackedFile[]; all: ReadonlyMap<string, TrackedFile> }> | undefined;
  const tracked = () => {
    split ??= checkout.files().then((files) => ({
      shown: files.filter(({ path }) => isShown(path)),
      all: new Map(files.map((file) => [file.path, file])),
    }));
    return split;
  };
  let rules: Promise<(path: string) => FileFacts["attributes"]> | undefined;

  async function open(path: string): Promise<Opened | { readonly problem: string }> {
    const { all, shown } = await tracked();
    const file = all.get(path);
    if (file === undefined) return { problem: `There is no such file in the repository.${alike(path, shown)}` };
    if (!isShown(path)) return { problem: WITHHELD };
    const { mode, bytes } = file;
    if (!mode.startsWith("100")) return { problem: "It is a symbolic link or a submodule, and is not shown." };
    if (bytes > fileBytes) return { problem: `It is too large to be shown (${bytes} bytes).` };
    const text = await checkout.read(path).catch((error: unknown) => {
      if (error instanceof StanchError && error.code === "git") return null;
      throw error;
    });
    if (text === null || text.includes("\0")) return { problem: "It is no UTF-8 text, and is not shown." };
    if (holdsSecrets(text)) return { problem: WITHHELD };
    rules ??= attributesOf(all, checkout);
    const attributes = (await rules)(path);
    return { path, text, lines: viewOf(text, redactor), facts: { mode, bytes, text, attributes } };
  }

  return {
    files: async () => (await tracked()).shown,
    async withheld() {
      const { all, shown } = await tracked();
      return all.size - shown.length;
    },
    open(path) {
      const known = kept.get(path) ?? open(path);
      kept.delete(path);
      kept.set(path, known);
      const [oldest] = kept.keys();
      if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
      return known;
    },
  };
}

/** A name that can be shown on one line, of a file that holds no secrets by its purpose. */
function isShown(path: string): boolean {
  return path.length <= 400 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path) && !isWithheld(path);
}

function alike(path: string, files: readonly TrackedFile[]): string {
  const name = path.split("/").at(-1) ?? "";
  const found = files.filter((file) => file.path === name || file.path.endsWith(`/${name}`)).slice(0, 5);
  return name === "" || found.length === 0 ? "" : ` There is: ${found.map((file) => file.path).join(", ")}.`;
}

/** What `.gitattributes` say. One that cannot be read says that everything is filtered: nothing is edited then. */
async function attributesOf(
  all: ReadonlyMap<string, TrackedFile>,
  checkout: Checkout,
): Promise<(path: string) => FileFacts["attributes"]> {
  const found = [...all.values()].filter(({ path }) => path === ".gitattributes" || path.endsWith("/.gitattributes"));
  const texts = new Map<string, string>();
  let unknown = found.length > ATTRIBUTE_FILES;
  for (const { path, mode, bytes } of found.slice(0, ATTRIBUTE_FILES)) {
    const text =
      mode.startsWith("100") && bytes <= ATTRIBUTE_BYTES ? await checkout.read(path).catch(() => null) : null;
    if (text === null) unknown = true;
    else texts.set(path === ".gitattributes" ? "." : path.slice(0, -"/.gitattributes".length), text);
  }
  const [generated, vendored, filtered] = (["linguist-generated", "linguist-vendored", "filter"] as const).map(
    (attribute) => attributeOf(attribute, texts),
  );
  return (path) => ({
    generated: generated?.(path) ?? false,
    vendored: vendored?.(path) ?? false,
    filtered: unknown || (filtered?.(path) ?? false),
  });
}
