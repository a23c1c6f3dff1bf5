import type { FieldPath } from "../model.ts";

/** Kinds that say what workloads may do, and the fields of theirs that may go back to what Git had. */
export const POLICY_FIELDS: Readonly<Record<string, (path: FieldPath) => boolean>> = {
  Role: ([top]) => top === "rules",
  RoleBinding: ([top]) => top === "subjects",
  ResourceQuota: ([top, field, ...rest]) => top === "spec" && field === "hard" && rest.length === 1,
  NetworkPolicy: ([top, field]) => top === "spec" && field !== undefined,
  LimitRange: ([top, field]) => top === "spec" && field === "limits",
};

export function isPolicyField(kind: string, path: FieldPath): boolean {
  return Object.hasOwn(POLICY_FIELDS, kind) && POLICY_FIELDS[kind]?.(path) === true;
}
