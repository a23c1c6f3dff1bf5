import { readFile } from "node:fs/promises";
import http from "node:http";

const { url, pages } = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as { url: string; pages: string[] };
const agent = new http.Agent({ keepAlive: true });
// The SDK is loaded here as well: peak memory is compared, not the size of a library.
await import("@kubernetes/client-node");

function get(path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    http
      .get(`${url}${path}`, { agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve(text.startsWith("{") ? JSON.parse(text) : text);
        });
      })
      .on("error", reject);
  });
}

await get("/version");
// As the scan does: pages of one list one after the other, different lists side by side.
const lists = new Map<string, string[]>();
for (const page of pages)
  lists.set(page.split("?")[0] ?? page, [...(lists.get(page.split("?")[0] ?? page) ?? []), page]);
const started = performance.now();
await Promise.all(
  [...lists.values()].map(async (paths) => {
    for (const path of paths) await get(path);
  }),
);
const ms = Math.round(performance.now() - started);
process.stdout.write(
  JSON.stringify({ ms, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024), calls: pages.length }),
);
agent.destroy();
