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

/**
 * What makes a document that is meant as an object none, in words: `an object without a kind`. Null for objects, for lists of them, and for
 * what says nothing at all.
 */
export function shortcomingOf(value: Json): string | null {
  if (!isMap(value) || Object.keys(value).length === 0) return null;
  const { kind, apiVersion, items } = value;
  const metadata = value["metadata"];
  const { name, generateName } = metadata !== undefined && isMap(metadata) ? metadata : {};
  const title = [name, generateName].find(isText);
  if (!isText(kind))
    return title === undefined ? "an object without a kind" : `an object without a kind, named ${title}`;
  if (!isText(apiVersion)) return `a ${kind} without an apiVersion`;
  if (kind.endsWith("List") && Array.isArray(items))
    return items.map(shortcomingOf).find((short) => short !== null) ?? null;
  // A template that loops over nothing.
  if (kind.endsWith("List") && title === undefined && (items ?? null) === null) return null;
  // A kustomization needs no name, and nobody deploys it.
  if (title !== undefined || apiVersion.startsWith("kustomize.config.k8s.io/")) return null;
  return (name ?? null) === null || name === "" ? `a ${kind} without a name` : `a ${kind} whose name is no text`;
}

/** The object with the deployer's namespace where it names none. */
export function withNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  if (namespace === undefined || isClusterScoped(object.kind) || object.metadata.namespace !== undefined) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
