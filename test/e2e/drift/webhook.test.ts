import { describe, expect, it } from "vitest";
import { missing } from "../gitops/present.ts";
import { kubectl } from "../lab.ts";
import { MUTATED, startWebhook } from "./webhook.ts";
import { openDrift, told, type Way } from "./world.ts";

const WAYS: readonly Way[] = ["server-side apply", "client-side apply", "flux", "argocd"];
const drifts = (lines: readonly string[]): string[] =>
  lines.filter((line) => !line.startsWith("Deployment/scaled conflict"));

describe.each(WAYS)("a mutating webhook, deployed by %s", (way) => {
  const absent = way === "flux" || way === "argocd" ? missing(way) : false;
  it.skipIf(absent)("is no drift, and hides no edit", async () => {
    await using webhook = await startWebhook("drift-webhook");
    await using world = await openDrift(way, { labels: MUTATED });
    expect(webhook.calls()).toBeGreaterThan(5);
    const image = await kubectl([
      "-n",
      world.namespace,
      "get",
      "deployment",
      "web",
      "-o",
      "jsonpath={.spec.template.spec.containers[*].image}",
    ]);
    expect(image).toMatch(/^busybox:1\.36 127\.0\.0\.1:5000/);
    const modes = ["client", "auto", "server"].filter(
      // Who applies server-side without an engine may apply by hand under the same name: only the API server can tell a webhook's value from that.
      (mode) => !(mode === "client" && way === "server-side apply"),
    );
    for (const mode of modes) {
      const { report, code } = await world.drift(["--mode", mode]);
      expect([mode, drifts(told(report)), report.gaps]).toEqual([mode, [], []]);
      expect(code).toBe(0);
    }
    await kubectl([
      "-n",
      world.namespace,
      "set",
      "image",
      "deployment/web",
      "app=127.0.0.1:5000/e2e-test-images/agnhost:latest",
      "mesh=busybox:1.37",
    ]);
    await kubectl(["-n", world.namespace, "set", "env", "deployment/side", "-c=app", "COLOR=red"]);
    for (const mode of modes) {
      const { report } = await world.drift(["--mode", mode]);
      expect([mode, ...drifts(told(report))]).toEqual([
        mode,
        "Deployment/side drift: spec.template.spec.containers[name=app].env[name=COLOR].value by person (kubectl-set)",
        "Deployment/web drift: spec.template.spec.containers[name=app].image by person (kubectl-set)",
        // A person's hand in a webhook's container.
        "Deployment/web drift: spec.template.spec.containers[name=mesh].image by person (kubectl-set)",
      ]);
    }
  });
});
