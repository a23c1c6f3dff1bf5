import type { Checkout } from "../../src/ports.ts";

/** Files as a checkout that has no history. */
export function inMemory(
  files: Readonly<Record<string, string>>,
  modes: Readonly<Record<string, string>> = {},
): Checkout {
  return {
    revision: "a".repeat(40),
    files: async () =>
      Object.entries(files).map(([path, text]) => ({
        path,
        mode: modes[path] ?? "100644",
        bytes: Buffer.byteLength(text),
      })),
    read: async (path: string) => files[path] ?? null,
    filesWith: async (text: string, { ignoreCase }: { ignoreCase: boolean }) =>
      Object.keys(files).filter((path) =>
        ignoreCase ? files[path]?.toLowerCase().includes(text.toLowerCase()) : files[path]?.includes(text),
      ),
    history: async () => [],
    changedSince: async () => null,
    readAt: async () => null,
  } as unknown as Checkout;
}
