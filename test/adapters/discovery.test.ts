import { describe, expect, it } from "vitest";
import { apiVersions } from "../../src/adapters/kubernetes-discovery.ts";
import type { ApiClient } from "../../src/adapters/kubernetes-http.ts";

const answering = (bodies: Readonly<Record<string, unknown>>): ApiClient =>
  ({
    call: async ({ path }: { path: string }) =>
      path in bodies ? { status: 200, body: bodies[path] } : { status: 403, body: {} },
  }) as unknown as ApiClient;

describe("what an API server serves, as charts ask for it", () => {
  it("is groups, versions and kinds where the server tells them in one", async () => {
    const core = {
      items: [{ metadata: {}, versions: [{ version: "v1", resources: [{ responseKind: { kind: "Pod" } }] }] }],
    };
    const named = {
      items: [
        {
          metadata: { name: "apps" },
          versions: [{ version: "v1", resources: [{ responseKind: { kind: "Deployment" } }, {}] }],
        },
      ],
    };
    expect(await apiVersions(answering({ "/api": core, "/apis": named }))).toEqual([
      "v1",
      "v1/Pod",
      "apps/v1",
      "apps/v1/Deployment",
    ]);
  });

  it("is groups and versions of a server that knows no better, and the core alone of one that does not answer", async () => {
    const groups = { groups: [{ name: "batch", versions: [{ groupVersion: "batch/v1", version: "v1" }] }] };
    expect(await apiVersions(answering({ "/api": { versions: ["v1"] }, "/apis": groups }))).toEqual(["v1", "batch/v1"]);
    expect(await apiVersions(answering({}))).toEqual(["v1"]);
  });
});
