import { fieldAt, flagAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import type { Input, KubeObject, ObjectRef, Source } from "../model.ts";
import { commonOf, type FluxContext, fluxGitOf, fluxOwner, ownerWith } from "./flux-source.ts";
import { fieldInput, inputName } from "./input.ts";
import { isUnknown, type Origins } from "./origin.ts";
import { repositoryPath } from "./repository-path.ts";
import { commitIn } from "./revision.ts";

/** Fields of a Kustomization that are laid over what its folder holds. */
const OVERLAY = [
  "patches",
  "patchesStrategicMerge",
  "patchesJson6902",
  "images",
  "components",
  "namePrefix",
  "nameSuffix",
  "targetNamespace",
];

/**
 * What a Flux Kustomization deploys. Whether the folder is a Kustomize root or is made one is left to who opens it (`auto`). The overlay is
 * its whole spec, of which the renderer takes the keys that it knows.
 */
export async function originsOfKustomization(object: KubeObject, context: FluxContext): Promise<Origins> {
  const plain = fluxOwner(object);
  const deployed = commitIn(textAt(object, "status", "lastAppliedRevision"));
  const owner = deployed === undefined ? plain : { ...plain, deployed };
  if (mapAt(object, "spec", "kubeConfig") !== undefined)
    return {
      found: false,
      owner,
      reason: "it deploys to another cluster (spec.kubeConfig)",
      hint: "run Stanch against that cluster",
    };
  const namespace = object.metadata.namespace ?? "";
  const git = await fluxGitOf(fieldAt(object, "spec", "sourceRef"), namespace, context);
  if (isUnknown(git)) return { found: false, owner, ...git };
  const path = repositoryPath([textAt(object, "spec", "path") ?? ""], { clamp: true });
  if (path === null)
    return { found: false, owner, reason: "its spec.path is no path of a repository", hint: "correct spec.path" };
  const overlay = OVERLAY.some((key) => isSet(fieldAt(object, "spec", key)))
    ? fieldInput(object, owner.ref, ["spec"], "value")
    : null;
  const variables = await substitutionOf(object, owner.ref, context);
  const inputs = { ...variables.inputs, ...(overlay === null ? {} : { [inputName("spec")]: overlay }) };
  const target = textAt(object, "spec", "targetNamespace") ?? "";
  return {
    found: true,
    origins: [
      {
        repository: git.repository,
        ...(git.revision.branch === undefined ? {} : { branch: git.revision.branch }),
        path,
        tool: "auto",
        folder: { recurse: true, nested: true },
        ...(target === "" ? {} : { namespace: target }),
        ...(overlay === null ? {} : { overlay: { input: inputName("spec"), dialect: "flux" as const } }),
        ...(variables.substitute === undefined ? {} : { substitute: variables.substitute }),
        ...commonOf(object),
        ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
        owner: ownerWith(owner, git),
      },
    ],
  };
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== "";
}

/**
 * `postBuild`: ConfigMaps in order, then what stands in the Kustomization itself, which wins. Of a Secret, and of what cannot be read, only
 * that there are variables is known.
 */
async function substitutionOf(
  object: KubeObject,
  own: ObjectRef,
  context: FluxContext,
): Promise<{ readonly substitute?: NonNullable<Source["substitute"]>; readonly inputs: Record<string, Input> }> {
  const inputs: Record<string, Input> = {};
  const order: string[] = [];
  let open = false;
  const add = (name: string, input: Input | null): void => {
    if (input === null) return;
    inputs[name] = input;
    order.push(name);
  };
  const from = listAt(object, "spec", "postBuild", "substituteFrom");
  for (const item of from) {
    const name = textAt(item, "name") ?? "";
    if (textAt(item, "kind") !== "ConfigMap" || name === "") {
      open = true;
      continue;
    }
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: own.namespace, name };
    const map = await context.read(ref);
    if (map === undefined || (map === null && !flagAt(item, "optional"))) open = true;
    if (map && mapAt(map, "data") !== undefined)
      add(inputName(`ConfigMap ${ref.namespace}/${name} data`), fieldInput(map, ref, ["data"], "value"));
  }
  const inline = mapAt(object, "spec", "postBuild", "substitute") ?? {};
  const path = ["spec", "postBuild", "substitute"];
  if (Object.keys(inline).length > 0) add(inputName(path.join(".")), fieldInput(object, own, path, "value"));
  // Without a variable or a place for some, Flux leaves the text as it is.
  const always = textAt(object, "spec", "postBuild", "substituteStrategy") === "Always";
  return from.length === 0 && order.length === 0 && !always
    ? { inputs }
    : { inputs, substitute: { inputs: order, open, ...(always ? { always } : {}) } };
}
