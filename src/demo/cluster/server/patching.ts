import { parse } from "yaml";
import type { KubeObject } from "../../../model.ts";
import { applyJsonPatch, applyMergePatch } from "../json-patch.ts";
import { isTree } from "../shapes.ts";
import type { Api, WriteOptions } from "./api.ts";
import { ApiError, badRequest, invalid, patchRefused } from "./api-error.ts";
import { decodeFault } from "./decode.ts";
import type { Kind } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";
import { top } from "./list-keys.ts";
import { fieldsOf } from "./managed-fields.ts";
import { serverSideApply } from "./server-side-apply.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

export interface PatchRequest {
  readonly contentType: string;
  readonly body: string;
  readonly force: boolean;
  /** Said explicitly by the request; an apply must say it. */
  readonly fieldManager: string | undefined;
}

/** Carries out a PATCH. `created` is true when an apply made the object. */
export function patchObject(
  api: Api,
  at: { kind: Kind; namespace: string; name: string },
  request: PatchRequest,
  options: WriteOptions,
): { object: KubeObject; created: boolean } {
  const { kind, namespace, name } = at;
  if (request.contentType === "application/apply-patch+yaml") return applyObject(api, at, request, options);
  const change = patchOf(kind, request);
  const before = api.read(kind, namespace, name);
  const after = change(before);
  if (!isTree(after) || !isTree(after.metadata)) throw badRequest("the patched object is not an object");
  const fault = decodeFault(after as KubeObject);
  if (fault !== undefined) {
    throw invalid({ group: "", kind: "" }, "", [
      {
        reason: "FieldValueInvalid",
        message: `Invalid value: ${JSON.stringify(request.body)}: ${fault}`,
        field: "patch",
      },
    ]);
  }
  return { object: api.update(kind, before, after as KubeObject, options), created: false };
}

function patchOf(kind: Kind, request: PatchRequest): (before: KubeObject) => unknown {
  switch (request.contentType) {
    case "application/json-patch+json": {
      const operations = parseJson(request.body);
      if (Array.isArray(operations) && operations.some((one) => isTestInOtherBytes(one, request.body)))
        return () => {
          throw patchRefused();
        };
      return (before) => applyJsonPatch(before, operations);
    }
    case "application/merge-patch+json": {
      const patch = parseJson(request.body);
      return (before) => applyMergePatch(before, patch);
    }
    case "application/strategic-merge-patch+json": {
      if (kind.schema !== undefined) break;
      const patch = parseJson(request.body);
      return (before) => applyStrategicMerge(before, patch, top(undefined));
    }
  }
  if (kind.schema === undefined) throw new ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", {});
  const accepted = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
  throw new ApiError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
  );
}

/** The API server compares a `test` with its own encoding byte by byte, in which these characters are escaped. */
function isTestInOtherBytes(operation: unknown, body: string): boolean {
  if (!isTree(operation) || operation.op !== "test") return false;
  const text = JSON.stringify(operation.value ?? null);
  return /[<>&\u2028\u2029]/.test(text) && body.includes(text);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function applyObject(
  api: Api,
  { kind, namespace, name }: { kind: Kind; namespace: string; name: string },
  request: PatchRequest,
  options: WriteOptions,
): { object: KubeObject; created: boolean } {
  if (request.fieldManager === undefined || request.fieldManager === "") {
    const message = "Required value: is required for apply patch";
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [
      { reason: "FieldValueRequired", message, field: "fieldManager" },
    ]);
  }
  const parsed: unknown = parse(request.body);
  if (!isTree(parsed)) throw badRequest("error decoding YAML: not an object");
  const metadata = isTree(parsed.metadata) ? parsed.metadata : {};
  if (metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  const config = {
    ...parsed,
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { ...metadata, name },
  } as KubeObject;
  const fault = decodeFault(config);
  if (fault !== undefined)
    throw new ApiError(
      500,
      "",
      `failed to create typed patch object (${namespace}/${name}; ${apiVersionOf(kind)}, Kind=${kind.kind}): ${fault}`,
    );
  const manager = { name: request.fieldManager, operation: "Apply" as const, apiVersion: config.apiVersion };
  const write: WriteOptions = { ...options, operation: "Apply", applied: fieldsOf(config, kind.schema) };
  const live = api.store.get(kind, kind.namespaced ? namespace : "", name);
  if (live === undefined) return { object: api.create(kind, namespace, config, write), created: true };
  const merged = serverSideApply(live, config, { manager, force: request.force, schema: kind.schema });
  return { object: api.update(kind, live, merged, write), created: false };
}
