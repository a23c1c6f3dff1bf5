/** What Stanch says when it closes a pull request of its own because Git was corrected in another way. */
export function formatWithdrawal(base: string): string {
  return `\`${base}\` already says this: the fix came another way. Closing; nothing is left to merge.`;
}

/** Is a comment that sentence? A pull request that was closed with it was refused by nobody. */
export function isWithdrawal(comment: string): boolean {
  return /^`[^`\n]+` already says this: the fix came another way\. Closing; nothing is left to merge\.\s*$/.test(
    comment,
  );
}
