import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { PATH } from "../gitops/repository.ts";

export interface ChartServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: string[];
  stop(): Promise<void>;
}

/** A Helm repository over HTTP with one packed chart, made by helm itself. */
export async function startChartServer(files: Readonly<Record<string, string>>, chart: string): Promise<ChartServer> {
  const folder = mkdtempSync(join(tmpdir(), "stanch-charts-"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const helm = (...words: string[]): void =>
    void execFileSync("helm", words, { cwd: folder, env: { PATH, HOME: folder }, stdio: "pipe" });
  helm("package", chart, "--destination", "served");
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? "/").slice(1);
    requests.push(name);
    try {
      response.end(readFileSync(join(folder, "served", name)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  helm("repo", "index", "served", "--url", url);
  const stop = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return {
    url,
    requests,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
