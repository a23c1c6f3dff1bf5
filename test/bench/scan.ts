/**
 * What a scan costs, as a ratio: `observe` and `detect` against fetching and JSON-parsing the very same pages over the same
 * kept connections, side by side in one run, each in a process of its own. `npm run bench`.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startCluster } from "../../src/demo/cluster/cluster.ts";

const call = promisify(execFile);
const ROUNDS = 7;

interface Sample {
  readonly ms: number;
  readonly peakMiB: number;
  readonly calls: number;
}

async function measure(kind: "scan" | "bare", words: readonly string[]): Promise<Sample> {
  const { stdout } = await call(process.execPath, [new URL(`./${kind}-once.ts`, import.meta.url).pathname, ...words], {
    maxBuffer: 1 << 24,
  });
  return JSON.parse(stdout) as Sample;
}

/** The quickest sample: what else the machine does only ever adds to it. */
function quickest(samples: readonly Sample[]): Sample {
  return samples.toSorted((a, b) => a.ms - b.ms)[0] ?? { ms: 0, peakMiB: 0, calls: 0 };
}

const folder = await mkdtemp(join(tmpdir(), "stanch-bench-"));
try {
  for (const pods of [1000, 10_000]) {
    await using cluster = await startCluster({ registry: {} });
    cluster.seedPods(pods, { namespaces: Math.ceil(pods / 100), failing: Math.ceil(pods / 500) });
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, cluster.kubeconfig());
    const before = cluster.requests.length;
    await measure("scan", [kubeconfig]);
    const pages = cluster.requests
      .slice(before)
      .filter((request) => request.method === "GET")
      .map((request) => `${request.path}?${new URLSearchParams(request.query)}`);
    const list = join(folder, "pages.json");
    await writeFile(list, JSON.stringify({ url: cluster.url, pages }));
    const scans: Sample[] = [];
    const bares: Sample[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      bares.push(await measure("bare", [list]));
      scans.push(await measure("scan", [kubeconfig]));
    }
    const scan = quickest(scans);
    const bare = quickest(bares);
    process.stdout.write(
      `${pods} pods, ${scan.calls} calls: scan ${scan.ms} ms, ${scan.peakMiB} MiB peak; bare fetch and parse of the same pages ${bare.ms} ms, ${bare.peakMiB} MiB; ratio ${(scan.ms / bare.ms).toFixed(2)} in time, ${(scan.peakMiB / bare.peakMiB).toFixed(2)} in memory\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
