import type { FieldPath, Json, KubeObject } from "../model.ts";

/** An object in a document, with the path to it from the document's top (not empty for an item of a `List`). */
export interface Declared {
  readonly object: KubeObject;
  readonly prefix: FieldPath;
}

/** Kinds that have no namespace, whatever the deployer fills in. */
const CLUSTER_SCOPED = new Set(
  (
    "Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass VolumeAttachment CSIDriver CSINode " +
    "PriorityClass RuntimeClass IngressClass GatewayClass APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration " +
    "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding FlowSchema PriorityLevelConfiguration CertificateSigningRequest ClusterIssuer " +
    "ClusterPolicy ClusterSecretStore ClusterExternalSecret DeviceClass VolumeSnapshotClass"
  ).split(" "),
);

export function isClusterScoped(kind: string): boolean {
  return CLUSTER_SCOPED.has(kind);
}

/** The named Kubernetes objects of one document; none for anything else, such as a kustomization or plain data. */
export function declaredIn(value: Json, prefix: FieldPath = []): Declared[] {
  if (!isMap(value) || typeof value["kind"] !== "string" || typeof value["apiVersion"] !== "string") return [];
  if (value["kind"].endsWith("List") && Array.isArray(value["items"])) {
    return value["items"].flatMap((item, index) => declaredIn(item, [...prefix, "items", index]));
  }
  if (value["apiVersion"].startsWith("kustomize.config.k8s.io/")) return [];
  const metadata = value["metadata"];
  if (metadata === undefined || !isMap(metadata) || typeof metadata["name"] !== "string") return [];
  return [{ object: value as unknown as KubeObject, prefix }];
}

/** The object with the deployer's namespace where it names none. */
export function withNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  if (namespace === undefined || isClusterScoped(object.kind) || object.metadata.namespace !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
