const MOST = 900;

/**
 * Why words of a model are not repeated; null: they may be. No link, mention, markup or command; of numbers and names only those that were
 * shown. Quoting for Markdown comes on top, where they are printed.
 */
export function proseProblem(text: string, facts: string): string | null {
  if (text === "") return "it is empty";
  if (text.length > MOST) return "it is too long";
  if (/https?:|www\.|:\/\/|\]\(|<\/?[a-z!]|```|\n/i.test(text)) return "it holds a link or markup";
  if (
    /(?:^|[\s(])@\w|\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s+#\d|(?:^|\s)#\d|(?:^|\s)\/[a-z]+\s|\bstanch\s+\w+\b.*--/i.test(
      text,
    )
  )
    return "it mentions somebody, closes something, or is a command";
  if (/stanch v1|<!--|-->/.test(text)) return "it looks like a mark of our own";
  const known = facts.toLowerCase();
  const numbers = text.match(/\d[\d.,]*\d|\d/g) ?? [];
  const strange = numbers.find((number) => number.length > 1 && !known.includes(number.toLowerCase()));
  if (strange !== undefined) return "it holds a number that was not shown";
  // Names of objects, images, files and variables: words with a mark inside, which plain English does not have.
  const names = text.match(/[A-Za-z0-9]+(?:[-_./:][A-Za-z0-9]+)+/g) ?? [];
  const invented = names.find((name) => !known.includes(name.toLowerCase()) && !ENGLISH.test(name));
  return invented === undefined ? null : "it holds a name that was not shown";
}

/** Hyphenated words that are no names, and what the words of the trade are. */
const ENGLISH =
  /^(?:[a-z]{2,}-(?:of|to|up|in|out|time|level|side|based|related|specific|only|known|defined|existing|present|empty|zero|one|two|run|end|in|on|off)(?:-[a-z]+)?|non-[a-z]+|re-[a-z]+|e\.g|i\.e|and\/or|read-only|crash-loop\w*|out-of-memory|roll-?out|back-off|start-up|config-?maps?)$/i;
