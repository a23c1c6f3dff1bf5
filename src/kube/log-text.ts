/** What a program wrote, without terminal sequences and control characters. */
export function logText(text: string): string {
  const start = String.fromCharCode(27);
  const sequences = new RegExp(`${start}\\[[0-9;?]*[ -/]*[@-~]`, "g");
  return [...text.replaceAll(sequences, "")]
    .filter((letter) => letter === "\n" || letter === "\t" || (letter.codePointAt(0) ?? 0) >= 32)
    .join("");
}
