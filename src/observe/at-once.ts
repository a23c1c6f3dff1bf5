/** Requests that are under way at once: enough to hide the way there and back, few enough for the API server's fairness. */
const LIMIT = 8;

/** Does something with each item, a few at once; answers in the order of the items. The first fault ends it. */
export async function atOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const out = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      out[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LIMIT, items.length) }, worker));
  return out;
}
