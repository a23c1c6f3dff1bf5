import { createHash } from "node:crypto";
import { formatPath } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change, ObjectRef } from "../model.ts";

export interface BranchName {
  readonly prefix: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  /** First eight hex digits of the target's fingerprint. */
  readonly fingerprint: string;
  /** 1, or higher for a follow-up of a merged pull request that did not hold. */
  readonly round: number;
}

/**
 * What a pull request changes, as a fingerprint: repository, base, files, objects, fields and remedy. No values, times or
 * incident names, so that the same problem always meets the same branch. 16 hex digits.
 */
export function targetFingerprint(target: {
  readonly repository: string;
  readonly base: string;
  readonly files: readonly string[];
  readonly changes: readonly Change[];
  readonly remedy: string;
}): string {
  const fields = target.changes.map((change) => `${keyOf(change.object)} ${formatPath(change.path)}`).sort();
  const text = JSON.stringify([
    target.repository,
    target.base,
    [...new Set(target.files)].sort(),
    fields,
    target.remedy,
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** `stanch/prod/shop-deployment-cart-1a2b3c4d`: lower-case, at most 120 characters, a valid ref. */
export function formatBranch(
  parts: Omit<BranchName, "namespace" | "kind" | "name"> & { readonly object: ObjectRef },
): string {
  const round = parts.round > 1 ? `-${parts.round}` : "";
  const tail = `-${parts.fingerprint.slice(0, 8)}${round}`;
  const head = `${parts.prefix}/${parts.cluster}/`;
  const stem = [parts.object.namespace || "cluster", parts.object.kind, parts.object.name].map(slug).join("-");
  return `${head}${stem.slice(0, 120 - head.length - tail.length).replace(/-+$/, "")}${tail}`;
}

/**
 * `stanch/prod/code-cart-1a2b3c4d`: the same for one program and another. It names no workload, because every workload that runs the program
 * meets the same branch for the same fault.
 */
export function formatCodeBranch(
  parts: Pick<BranchName, "prefix" | "cluster" | "fingerprint" | "round"> & { readonly program: string },
): string {
  const round = parts.round > 1 ? `-${parts.round}` : "";
  const tail = `-${parts.fingerprint.slice(0, 8)}${round}`;
  const head = `${parts.prefix}/${parts.cluster}/code-`;
  return `${head}${slug(parts.program)
    .slice(0, 120 - head.length - tail.length)
    .replace(/-+$/, "")}${tail}`;
}

/** Whose branch is it? Null for one that Stanch did not name. */
export function parseBranch(branch: string): Pick<BranchName, "prefix" | "cluster" | "fingerprint" | "round"> | null {
  const match = /^([a-z0-9][a-z0-9-]*)\/([a-z0-9-]+)\/[a-z0-9-]+?-([0-9a-f]{8})(?:-(\d+))?$/.exec(branch);
  return match === null
    ? null
    : { prefix: match[1] ?? "", cluster: match[2] ?? "", fingerprint: match[3] ?? "", round: Number(match[4] ?? 1) };
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}
