import { textAt } from "../kube/fields.ts";
import type { FieldPath, Json, KubeObject } from "../model.ts";
import { nameOf } from "./leaf.ts";

/** Annotations and labels that tools keep their books in: no manifest is asked about them, whoever wrote them. */
const BOOKS =
  /^(kubectl\.kubernetes\.io\/(last-applied-configuration|restartedAt)|deployment\.kubernetes\.io\/.*|deprecated\.daemonset\.template\.generation|kubernetes\.io\/(change-cause|metadata\.name)|autoscaling\.alpha\.kubernetes\.io\/.*|control-plane\.alpha\.kubernetes\.io\/leader|pv\.kubernetes\.io\/.*|volume\.(beta\.)?kubernetes\.io\/.*|batch\.kubernetes\.io\/.*|controller-uid|job-name|pod-template-hash|argocd\.argoproj\.io\/.*|meta\.helm\.sh\/.*|(kustomize|helm)\.toolkit\.fluxcd\.io\/.*|reconcile\.fluxcd\.io\/.*|(internal\.)?config\.kubernetes\.io\/.*|stanch\.dev\/.*|field\.cattle\.io\/.*|cert-manager\.io\/.*-hash)$/;
const HELM = "app.kubernetes.io/managed-by";

/** What the API server fills in, where a writer who adds a map owns it, too. */
const DEFAULTS: Readonly<Record<string, readonly Json[]>> = {
  imagePullPolicy: ["IfNotPresent", "Always"],
  restartPolicy: ["Always"],
  dnsPolicy: ["ClusterFirst"],
  schedulerName: ["default-scheduler"],
  terminationGracePeriodSeconds: [30],
  terminationMessagePath: ["/dev/termination-log"],
  terminationMessagePolicy: ["File"],
  timeoutSeconds: [1],
  periodSeconds: [10],
  successThreshold: [1],
  failureThreshold: [3],
  scheme: ["HTTP"],
  protocol: ["TCP"],
  apiVersion: ["v1"],
  defaultMode: [420],
  expirationSeconds: [3600],
  divisor: ["0"],
  sessionAffinity: ["None"],
  internalTrafficPolicy: ["Cluster"],
  ipFamilyPolicy: ["SingleStack"],
  volumeMode: ["Filesystem"],
};

/** Is a value one that the API server would have filled in? */
export function isDefault(path: FieldPath, value: Json): boolean {
  return DEFAULTS[nameOf(path)]?.includes(value) === true;
}

/**
 * Fields that controllers write by right, whatever stands in Git. `git`: what Git declares there; absent where it says nothing.
 */
export function isOthersByRight(live: KubeObject, path: FieldPath, git: Json | undefined): boolean {
  const name = nameOf(path);
  const parent = nameOf(path.slice(0, -1));
  if (parent === "annotations" || parent === "labels") {
    if (/^kubectl\.kubernetes\.io\/(restartedAt|last-applied-configuration)$/.test(name)) return true;
    // What Git says of them it says on purpose.
    if (git !== undefined) return false;
    return BOOKS.test(name) || (name === HELM && textAt(live, "metadata", "labels", HELM) === "Helm");
  }
  // Injected into webhooks, CustomResourceDefinitions and APIServices, where manifests hold nothing or a placeholder.
  if (name === "caBundle") return git === undefined || git === "" || git === "Cg==" || git === "\n";
  // The controller fills them from other roles.
  if (path[0] === "rules" && live.kind === "ClusterRole" && live["aggregationRule"] !== undefined) return true;
  return path[0] === "spec" && path[1] === "finalizers" && live.kind === "Namespace";
}
