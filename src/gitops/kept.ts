/** The promise kept under a key. A failed one is forgotten, so that the next question tries again. */
export function remember<K, V>(kept: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  let value = kept.get(key);
  if (value === undefined) {
    value = make();
    kept.set(key, value);
    value.catch(() => kept.delete(key));
  }
  return value;
}
