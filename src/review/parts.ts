/** Letters of a part; GitHub takes 65,536 of a comment. */
export const COMMENT_BUDGET = 60_000;
/** Bytes of a step's summary; GitHub drops one of more than 1 MiB whole. */
export const SUMMARY_BUDGET = 1_000_000;

/**
 * Sections put into as few parts as hold them, in order, none of more than `budget` letters. A section that is longer alone is cut at a line,
 * with its fold closed. What goes beyond `most` parts is counted and left out.
 */
export function intoParts(sections: readonly string[], budget: number, most: number): string[] {
  const parts: string[] = [];
  let current: string[] = [];
  let size = 0;
  for (const [index, section] of sections.entries()) {
    const text = cutSection(section, budget);
    const length = lettersOf(text) + 2;
    if (size + length > budget && current.length > 0) {
      if (parts.length + 1 === most) {
        const left = sections.length - index;
        return [...parts, [...current, `*${left} section${left === 1 ? "" : "s"} left out for length.*`].join("\n\n")];
      }
      parts.push(current.join("\n\n"));
      current = [];
      size = 0;
    }
    current.push(text);
    size += length;
  }
  return current.length === 0 ? parts : [...parts, current.join("\n\n")];
}

/** Whole sections as long as they fit into so many bytes; how many are left out is said. */
export function withinBytes(sections: readonly string[], budget: number): string {
  const kept: string[] = [];
  let size = 200;
  for (const [index, section] of sections.entries()) {
    const text = cutSection(section, Math.floor(budget / 4));
    size += Buffer.byteLength(text) + 2;
    if (size > budget) {
      kept.push(`*${sections.length - index} more sections are left out: a summary may hold 1 MiB.*`);
      break;
    }
    kept.push(text);
  }
  return kept.join("\n\n");
}

function cutSection(section: string, budget: number): string {
  if (lettersOf(section) <= budget - 200) return section;
  const kept: string[] = [];
  let size = 0;
  for (const line of section.split("\n")) {
    size += lettersOf(line) + 1;
    if (size > budget - 300) break;
    kept.push(line);
  }
  const open = section.includes("<details") ? "\n\n</details>" : "";
  return `${kept.join("\n")}\n- *cut here for length*${open}`;
}

/** Code points, as GitHub counts. */
function lettersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
