/**
 * Text for a terminal: names, logs and messages come from strangers, and an escape sequence in them could redraw the screen or hide
 * a line.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(/(?![\n\t])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "�");
}
