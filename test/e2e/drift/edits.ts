import { kubectl } from "../lab.ts";
import type { DriftWorld, Way } from "./world.ts";

const CONTAINER = "spec.template.spec.containers[name=app]";

/** Live edits, as people make them. */
export async function plantEdits({ namespace, name }: DriftWorld, way: Way): Promise<void> {
  const at = (...words: string[]): Promise<string> => kubectl(["-n", namespace, ...words]);
  const patch = (deployment: string, ...operations: object[]): Promise<string> =>
    at("patch", "deployment", deployment, "--type=json", "-p", JSON.stringify(operations));
  // 1. A field changed.
  await at("set", "resources", "deployment/web", "-c=app", "--limits=memory=96Mi");
  // 2. One added.
  await patch("web", { op: "add", path: "/spec/minReadySeconds", value: 1 });
  // 3. One removed.
  await patch("open", { op: "remove", path: "/spec/template/spec/containers/0/readinessProbe" });
  // 4. A list in another order: no drift.
  const env = '[{"name":"LEVEL","value":"1"},{"name":"EMPTY"},{"name":"COLOR","value":"blue"}]';
  await patch("sorted", { op: "replace", path: "/spec/template/spec/containers/0/env", value: JSON.parse(env) });
  // 5. A container added.
  await patch("side", {
    op: "add",
    path: "/spec/template/spec/containers/-",
    value: {
      name: "debug",
      image: "busybox:1.36",
      command: ["sleep", "3600"],
      env: [{ name: "DB_PASSWORD", value: "hunter2-hunter2" }],
    },
  });
  // 6. An environment variable edited.
  await at("set", "env", "deployment/web", "-c=app", "COLOR=red");
  // 7. A label.
  await at("label", "configmap", "settings", "owner=me");
  // 8. Replicas under an autoscaler.
  await at("scale", "deployment/scaled", "--replicas=3");
  // 9. An object deleted.
  await at("delete", "service", "gone");
  // 10. An object too many, with the marks of what its deployer deployed.
  const marks =
    way === "argocd"
      ? { annotations: { "argocd.argoproj.io/tracking-id": `${name}:/ConfigMap:${namespace}/stray` } }
      : way === "flux"
        ? {
            labels: {
              "kustomize.toolkit.fluxcd.io/name": name,
              "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
          }
        : {};
  const stray = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "stray", namespace, ...marks } };
  await kubectl(["create", "-f", "-"], { input: JSON.stringify(stray) });
  // 11. What was read, edited and written back as a whole.
  const read = JSON.parse(await at("get", "deployment", "replaced", "-o", "json"));
  const [app] = read.spec.template.spec.containers;
  app.image = "busybox:1.36";
  app.env.push({ name: "DEBUG", value: "1" });
  delete read.metadata.resourceVersion;
  await kubectl(["replace", "-f", "-"], { input: JSON.stringify(read) });
  // And what a Secret holds.
  await at("patch", "secret", "keys", "-p", '{"stringData":{"password":"staple-staple-staple"}}');
}

/** What must be said of them, and nothing else. Without an engine nothing tracks objects, so that a stray one is nobody's. */
export function expected(way: Way): string[] {
  return [
    `Deployment/web drift: ${CONTAINER}.resources.limits.memory by person (kubectl-set)`,
    "Deployment/web drift: spec.minReadySeconds by person (kubectl-patch)",
    `Deployment/web drift: ${CONTAINER}.env[name=COLOR].value by person (kubectl-set)`,
    `Deployment/open drift: ${CONTAINER}.readinessProbe.httpGet.path by unknown`,
    `Deployment/open drift: ${CONTAINER}.readinessProbe.httpGet.port by unknown`,
    `Deployment/open drift: ${CONTAINER}.readinessProbe.periodSeconds by unknown`,
    "Deployment/side drift: spec.template.spec.containers[name=debug] by person (kubectl-patch)",
    `Deployment/replaced drift: ${CONTAINER}.image by person (kubectl-replace)`,
    `Deployment/replaced drift: ${CONTAINER}.env[name=DEBUG] by person (kubectl-replace)`,
    "ConfigMap/settings drift: metadata.labels.owner by person (kubectl-label)",
    "Secret/keys drift: data.password by person (kubectl-patch)",
    "Service/gone missing",
    ...(way === "flux" || way === "argocd" ? ["ConfigMap/stray extra"] : []),
  ].toSorted();
}
