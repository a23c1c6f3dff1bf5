const BOUNDS: readonly (readonly [number, number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
];
const MACROS: Record<string, string> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
};

/** Does a cron schedule (numbers, lists, ranges, steps and macros) name this minute of UTC? */
export function cronMatches(schedule: string, at: Date): boolean {
  const fields = (MACROS[schedule.trim()] ?? schedule).trim().split(/\s+/);
  const now = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()];
  return (
    fields.length === 5 && fields.every((field, index) => fieldMatches(field, now[index] ?? 0, BOUNDS[index] ?? [0, 0]))
  );
}

function fieldMatches(field: string, value: number, [low, high]: readonly [number, number]): boolean {
  return field.split(",").some((part) => {
    const [range = "*", step = "1"] = part.split("/");
    const [from = String(low), to] = range === "*" ? [String(low), String(high)] : range.split("-");
    const last = to ?? (part.includes("/") ? String(high) : from);
    return value >= Number(from) && value <= Number(last) && (value - Number(from)) % Number(step) === 0;
  });
}
