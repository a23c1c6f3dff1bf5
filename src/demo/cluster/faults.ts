/** A fault to inject: the first `times` matching requests (default: every one) are answered with it. */
export interface Fault {
  readonly method?: string;
  /** Matched against path and query: `/api/v1/pods?limit=500`. */
  readonly path: RegExp;
  readonly times?: number;
  /** Absent: the request is only delayed (or the connection closed), then served. */
  readonly status?: number;
  /** Sent as it is; by default a Status of the code. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  /** The connection is closed without an answer. */
  readonly closeConnection?: boolean;
}

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** The fault for a request, counted as used. */
  take(method: string, target: string): Fault | undefined;
}

export function createFaults(): Faults {
  let faults: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    },
    clear() {
      faults = [];
    },
    take(method, target) {
      const found = faults.find(
        ({ fault, left }) => left > 0 && (fault.method ?? method) === method && fault.path.test(target),
      );
      if (found === undefined) return undefined;
      found.left -= 1;
      return found.fault;
    },
  };
}
