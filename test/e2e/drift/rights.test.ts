import { describe, expect, it } from "vitest";
import { kubeconfigOf } from "../account.ts";
import { missing } from "../gitops/present.ts";
import { kubectl, stanch } from "../lab.ts";
import { openDrift, told } from "./world.ts";

const IMAGE = { op: "replace", path: "/spec/replicas", value: 3 };

describe.each(["server-side apply", "flux", "argocd"] as const)("the rights that `stanch rbac` prints, %s", (way) => {
  const absent = way === "server-side apply" ? false : missing(way);
  it.skipIf(absent)("are enough to compare, and give no word of what may not be read", async () => {
    const own = `drift-rights-${Math.random().toString(36).slice(2, 7)}`;
    await using world = await openDrift(way, {
      settings: { namespace: own, mode: "observe", drift: { enabled: true, wait: "2s", secrets: true } },
    });
    try {
      await kubectl(["create", "namespace", own]);
      const { stdout } = await stanch(["rbac", "--config", world.config, "--account", own], "");
      await kubectl(["apply", "-f", "-"], { input: stdout });
      const kubeconfig = await kubeconfigOf(own, `${own}-reader`, world.folder);
      const clean = await world.drift(["--kubeconfig", kubeconfig]);
      expect(clean.report.gaps).toEqual([]);
      expect(told(clean.report).filter((line) => !line.startsWith("Deployment/scaled conflict"))).toEqual([]);
      expect([clean.code, clean.report.mode]).toEqual([0, "client"]);
      expect(clean.report.roots[0]?.compared).toBeGreaterThan(18);
      // What the deployer would take back at once says nothing of rights.
      if (way === "argocd") return;
      await kubectl([
        "-n",
        world.namespace,
        "patch",
        "deployment",
        "web",
        "--type=json",
        "-p",
        JSON.stringify([IMAGE]),
      ]);
      const found = await world.drift(["--kubeconfig", kubeconfig]);
      expect(told(found.report).join("\n")).toContain("Deployment/web drift: spec.replicas");
      expect([found.code, found.report.gaps]).toEqual([3, []]);
    } finally {
      await kubectl(["delete", "namespace", own, "--wait=false", "--ignore-not-found"], { may: [1] });
      for (const kind of ["clusterrole", "clusterrolebinding"])
        await kubectl(["delete", kind, `${own}-reader-cluster`, "--ignore-not-found"], { may: [1] });
    }
  });
});
