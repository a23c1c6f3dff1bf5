import type { Incident } from "./incident.ts";

/** Does something stand that contains the fault, and has to be taken back when its reason is over? Of a restart nothing does. */
export function isContained({ status }: Pick<Incident, "status">): boolean {
  const hotfix = status?.hotfix;
  return hotfix?.contains !== undefined && hotfix.undoneAt === undefined && hotfix.changes.length > 0;
}

/** Is the fault still to be told to the program's developers? The issue could not be opened. */
export function isUntold({ status }: Pick<Incident, "status">): boolean {
  const issue = status?.issue;
  return issue !== undefined && issue.about === "program" && issue.number === undefined && issue.closedAt === undefined;
}

/** An issue that nobody has closed yet tells of the fault. */
export function isTold({ status }: Pick<Incident, "status">): boolean {
  return status?.issue?.number !== undefined && status.issue.closedAt === undefined;
}
