/** The end of a stream of bytes, within a bound, whatever flows by. */
export interface OutputTail {
  add(chunk: Buffer): void;
  /** The last bytes as text: what is no UTF-8 stands as U+FFFD, and a character that the cut went through is left out. */
  text(): string;
}

export function outputTail(limit: number): OutputTail {
  let kept: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  const trim = (): Buffer => {
    const all = Buffer.concat(kept);
    const end = all.length > limit ? all.subarray(all.length - limit) : all;
    cut ||= all.length > limit;
    // A copy: a part of a larger buffer would keep all of it.
    kept = [Buffer.from(end)];
    bytes = end.length;
    return end;
  };
  return {
    add(chunk) {
      if (chunk.length > limit) {
        // Of a flood, what came before is not even put together.
        cut = true;
        kept = [Buffer.from(chunk.subarray(chunk.length - limit))];
        bytes = limit;
        return;
      }
      kept.push(chunk);
      bytes += chunk.length;
      if (bytes > 2 * limit + 65_536) trim();
    },
    text() {
      const end = trim();
      let start = 0;
      // The rest of a character is at most three bytes of the form 10xxxxxx.
      while (cut && start < 3 && start < end.length && ((end[start] ?? 0) & 0xc0) === 0x80) start += 1;
      return new TextDecoder("utf-8").decode(end.subarray(start));
    },
  };
}
