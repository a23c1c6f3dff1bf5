import type { Told } from "../incident/incident.ts";
import type { NoticeThread } from "../model.ts";

/** Keys kept for one receiver beyond those that the incident's state still gives. */
const MOST = 30;

/** What is to be written down of one receiver. */
export interface Entry {
  readonly receiver: string;
  readonly keys: readonly string[];
  readonly at?: string;
  readonly thread?: NoticeThread | undefined;
  readonly shown?: string | undefined;
}

/** Rows of receivers that are not configured now: a run with another configuration must not make them forget. */
const MOST_OTHERS = 10;

/** What was told, with more of it: never less, so that two writers together still know all. */
export function withTold(
  told: readonly Told[],
  entries: readonly Entry[],
  { receivers, current }: { readonly receivers: readonly string[]; readonly current: readonly string[] },
): Told[] {
  const others = told.filter((row) => !receivers.includes(row.receiver)).slice(0, MOST_OTHERS);
  const own = receivers.flatMap((receiver): Told[] => {
    const known = told.find((row) => row.receiver === receiver);
    const more = entries.filter((entry) => entry.receiver === receiver);
    if (known === undefined && more.length === 0) return [];
    const all = [...new Set([...(known?.keys ?? []), ...more.flatMap((entry) => entry.keys)])];
    const old = all.filter((key) => !current.includes(key));
    const keys = all.filter((key) => current.includes(key) || old.indexOf(key) >= old.length - MOST);
    const at = more.findLast((entry) => entry.at !== undefined)?.at ?? known?.at;
    const thread = more.findLast((entry) => entry.thread !== undefined)?.thread ?? known?.thread;
    const shown = more.findLast((entry) => entry.shown !== undefined)?.shown ?? known?.shown;
    return [
      {
        receiver,
        keys,
        ...(at === undefined ? {} : { at }),
        ...(thread === undefined ? {} : { thread }),
        ...(shown === undefined ? {} : { shown }),
      },
    ];
  });
  return [...own, ...others];
}
