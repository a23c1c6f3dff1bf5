/** A text of at most so many letters; GitHub counts code points. What is cut says so by its last letter. */
export function cutTo(text: string, most: number): string {
  // Code units are at least as many as code points.
  if (text.length <= most) return text;
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}
