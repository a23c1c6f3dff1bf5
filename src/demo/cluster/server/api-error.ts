import type { Resource } from "../../../ports.ts";
import { qualified } from "./kinds.ts";

/** Why one field is invalid (metav1.StatusCause). */
export interface Cause {
  readonly reason:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueNotFound"
    | "FieldValueDuplicate"
    | "FieldValueTypeInvalid"
    | "FieldManagerConflict"
    | "DisruptionBudget";
  readonly message: string;
  readonly field?: string;
}

/** An error as kube-apiserver words it: a `Status` object (metav1.Status) with its HTTP code. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;
  readonly details: Record<string, unknown> | undefined;
  /** For 410 of a list: the token with which the rest can be read, inconsistently. */
  readonly continue: string | undefined;

  constructor(code: number, reason: string, message: string, details?: Record<string, unknown>, next?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.continue = next;
  }
}

/** The body of the answer. */
export function statusOf(error: ApiError): Record<string, unknown> {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: error.continue === undefined ? {} : { continue: error.continue },
    status: "Failure",
    message: error.message,
    ...(error.reason === "" ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: error.details }),
    code: error.code,
  };
}

function about(kind: Resource, name: string): Record<string, unknown> {
  return { name, ...(kind.group === "" ? {} : { group: kind.group }), kind: kind.plural };
}

export function notFound(kind: Resource, name: string): ApiError {
  return new ApiError(404, "NotFound", `${qualified(kind)} "${name}" not found`, about(kind, name));
}

export function alreadyExists(kind: Resource, name: string): ApiError {
  return new ApiError(409, "AlreadyExists", `${qualified(kind)} "${name}" already exists`, about(kind, name));
}

export function conflict(kind: Resource, name: string, why?: string): ApiError {
  const text = why ?? "the object has been modified; please apply your changes to the latest version and try again";
  const message = `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${text}`;
  return new ApiError(409, "Conflict", message, about(kind, name));
}

export function forbidden(kind: Resource, name: string, why: string): ApiError {
  return new ApiError(403, "Forbidden", `${qualified(kind)} "${name}" is forbidden: ${why}`, about(kind, name));
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** A patch that cannot be carried out: a failed `test`, a path that is not there. */
export function patchRefused(): ApiError {
  return new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {});
}

/** Content that does not validate, with a cause for each field. */
export function invalid(kind: { group: string; kind: string }, name: string, causes: readonly Cause[]): ApiError {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`;
  const subject = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return new ApiError(422, "Invalid", `${subject} "${name}" is invalid: ${text}`, {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    ...(kind.kind === "" ? {} : { kind: kind.kind }),
    causes,
  });
}
