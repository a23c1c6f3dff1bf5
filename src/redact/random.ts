/** From how many characters on a word without both cases, and one with them, is looked at. */
const PLAIN = 40;
const MIXED = 24;

/**
 * Letters and digits mixed as no word, name or path mixes them. Paths, pods, images and class names are made of words; commit ids and digests are
 * public and needed, wherever they stand in a name.
 */
export function looksRandom(word: string): boolean {
  if (!isMixed(word)) return isPlainRandom(word);
  if (
    /[/+]/.test(word) &&
    isScrambled(
      word
        .split(/[-_/]/)
        .filter((part) => !isPublic(part))
        .join("/"),
    )
  )
    return true;
  return word
    .split("/")
    .some((part) => (isMixed(part) ? part.length >= MIXED && isMixedRandom(part) : isPlainRandom(part)));
}

/** A commit id or a digest. */
const isPublic = (part: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(part);

const isMixed = (word: string): boolean => /[a-z]/.test(word) && /[A-Z]/.test(word);

/** Names of pods and revisions are words with short endings: only a long part of a long word is suspicious. */
function isPlainRandom(word: string): boolean {
  if (word.length < PLAIN) return false;
  return word
    .split(/[-_/=+]/)
    .some(
      (part) =>
        part.length >= 20 &&
        !isPublic(part) &&
        /[A-Za-z]/.test(part) &&
        (part.match(/\d/g)?.length ?? 0) >= 4 &&
        entropyOf(part) > 3.5,
    );
}

function isMixedRandom(part: string): boolean {
  return /\d/.test(part) && entropyOf(part) > 3.5 && wordsIn(part) < (isPadded(part) ? 0.9 : 0.6);
}

/** Base64 with its own slashes, such as the keys of AWS: the kind of letter changes all the time, and little in it is a word. */
function isScrambled(word: string): boolean {
  if (word.length < MIXED || !/\d/.test(word) || entropyOf(word) <= 3.5) return false;
  if (wordsIn(word) >= (isPadded(word) || word.includes("+") ? 0.8 : 0.5)) return false;
  const turns = word.match(/[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|\d(?=[A-Za-z])/g)?.length ?? 0;
  return turns / word.length > 0.28;
}

/** Ends as base64 does. */
const isPadded = (word: string): boolean => /[^=]={1,2}$/.test(word) && word.length % 4 === 0;

/** Which part of the letters and digits stands in words that can be said, as `PaymentServiceV2` has them. */
function wordsIn(text: string): number {
  const all = text.match(/[A-Za-z0-9]/g)?.length ?? 1;
  const words = text.match(/[A-Z][a-z]{2,}|[a-z]{3,}/g) ?? [];
  return words.filter((word) => /[aeiouy]/i.test(word)).reduce((sum, word) => sum + word.length, 0) / all;
}

/** Bits a character. */
function entropyOf(word: string): number {
  const counts = new Map<string, number>();
  for (const letter of word) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / word.length) * Math.log2(count / word.length);
  return entropy;
}
