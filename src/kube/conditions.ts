import { listAt, textAt, timeOf } from "./fields.ts";

/** One entry of `status.conditions`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  /** `lastTransitionTime`. */
  readonly since?: string;
}

/** Every condition of an object; entries without a type or status are left out. */
export function conditionsOf(object: unknown): Condition[] {
  return listAt(object, "status", "conditions").flatMap((item): Condition[] => {
    const type = textAt(item, "type");
    const status = textAt(item, "status");
    if (type === undefined || status === undefined) return [];
    const reason = textAt(item, "reason");
    const message = textAt(item, "message");
    const since = textAt(item, "lastTransitionTime");
    return [
      {
        type,
        status,
        ...(reason === undefined || reason === "" ? {} : { reason }),
        ...(message === undefined || message === "" ? {} : { message }),
        ...(timeOf(since) === undefined || since === undefined ? {} : { since }),
      },
    ];
  });
}

/** The condition of a type; undefined when it is not set. */
export function conditionOf(object: unknown, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}
