import type { ReceiverEntry } from "../config/notify-section.ts";

type Quiet = NonNullable<ReceiverEntry["quiet"]>;

const DAYS: readonly string[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY = 24 * 60;

/**
 * Is it quiet at an instant? Asked of the clock on the wall there and then, so that a change to or from summer time needs no
 * arithmetic: an hour that the clock shows twice is quiet twice, and one that it leaves out never comes.
 */
export function isQuiet(quiet: Quiet | undefined, at: Date): boolean {
  if (quiet === undefined) return false;
  const { day, minute } = wallClock(at, quiet.timeZone);
  return quiet.hours.some(({ days, from, to }) => {
    const [begin, end] = [minutesOf(from), minutesOf(to)];
    const begins = (index: number): boolean => days.some((name) => name === DAYS[(index + 7) % 7]);
    if (begin < end) return begins(day) && minute >= begin && minute < end;
    // Over midnight: the part after it belongs to the day on which the period began.
    return (begins(day) && minute >= begin) || (begins(day - 1) && minute < end);
  });
}

/** Day of the week (0 is Monday) and minute of the day, as a clock on the wall in that zone shows them. */
function wallClock(at: Date, timeZone: string): { readonly day: number; readonly minute: number } {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = DAYS.indexOf(parts.get("weekday")?.toLowerCase() ?? "");
  return { day, minute: (Number(parts.get("hour")) * 60 + Number(parts.get("minute"))) % DAY };
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(timeZone, made);
  return made;
}

function minutesOf(time: string): number {
  const [hours = "0", minutes = "0"] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}
