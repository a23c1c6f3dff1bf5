/** The output of containers: of the one that runs (or ran last) and of the one before it. */
export interface Logs {
  /** Lines so far; undefined when there is no such container. */
  read(podUid: string, container: string, previous: boolean): readonly string[] | undefined;
  /** A new container starts: what was written becomes the previous log. */
  start(podUid: string, container: string): void;
  write(podUid: string, container: string, lines: readonly string[]): void;
  forget(podUid: string): void;
}

const MOST = 2_000;

export function createLogs(): Logs {
  const current = new Map<string, string[]>();
  const previous = new Map<string, string[]>();
  const key = (podUid: string, container: string): string => `${podUid}/${container}`;
  return {
    read: (podUid, container, before) => (before ? previous : current).get(key(podUid, container)),
    start(podUid, container) {
      const at = key(podUid, container);
      const old = current.get(at);
      if (old !== undefined) previous.set(at, old);
      current.set(at, []);
    },
    write(podUid, container, lines) {
      const log = current.get(key(podUid, container));
      if (log === undefined) return;
      log.push(...lines);
      if (log.length > MOST) log.splice(0, log.length - MOST);
    },
    forget(podUid) {
      for (const map of [current, previous])
        for (const at of map.keys()) if (at.startsWith(`${podUid}/`)) map.delete(at);
    },
  };
}
