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

/** What was told, with more of it: never less, so that two writers together still know all. Receivers that are gone are left out. */
export function withTold(
  told: readonly Told[],
  entries: readonly Entry[],
  { receivers, current }: { readonly receivers: readonly string[]; readonly current: readonly string[] },
): Told[] {
  return receivers.flatMap((receiver): Told[] => {
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
}
