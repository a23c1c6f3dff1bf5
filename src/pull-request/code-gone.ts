import { minute } from "./sections.ts";

/** Said once in the pull request of a model's fix when its incident is over without it. It stays open: whether the change is right is another question. */
export function formatGone(since: string): string {
  return `The symptom that this was written for is gone since ${minute(since)}; another version or another change may have ended it. Whether this change is still right is for you to say: merge it, or close it. Stanch does neither.`;
}
