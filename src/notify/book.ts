import { StanchError } from "../errors.ts";
import type { KubeObject } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

/** What was told that belongs to no incident: in the `Run` object of Stanch's own namespace. */
export interface Book {
  /** Since when each receiver is known, and until when it asked to be left alone. */
  readonly receivers: readonly { readonly name: string; readonly since: string; readonly notBefore?: string }[];
  /** What is so run after run, since when, and which receivers know. */
  readonly conditions: readonly Condition[];
  /** Findings that a receiver was told of in mode `observe`. */
  readonly findings: readonly { readonly receiver: string; readonly keys: readonly string[] }[];
}

export interface Condition {
  readonly kind: "storm" | "run-failing";
  readonly since: string;
  /** Runs in a row. */
  readonly runs: number;
  readonly told: readonly string[];
}

const EMPTY: Book = { receivers: [], conditions: [], findings: [] };

export interface BookContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly namespace: string;
}

type RunObject = KubeObject & { notified?: Partial<Book> };

const refIn = (namespace: string) => ({ apiVersion: "stanch.dev/v1alpha1", kind: "Run", namespace, name: "stanch" });

export async function readBook({ cluster, namespace }: Pick<BookContext, "cluster" | "namespace">): Promise<Book> {
  return bookOf((await cluster.get(refIn(namespace))) as RunObject | null);
}

/**
 * Changes the book and gives it back as it stands then. Two writers do not lose each other's lines. Throws StanchError: `config` when the cluster's
 * definition is older than this program and drops what is written.
 */
export async function changeBook(change: (book: Book) => Book, context: BookContext): Promise<Book> {
  const { cluster, clock, namespace } = context;
  const ref = refIn(namespace);
  for (let attempt = 1; ; attempt += 1) {
    const found = (await cluster.get(ref)) as RunObject | null;
    const notified = change(bookOf(found));
    try {
      const { apiVersion, kind, name } = ref;
      const kept =
        found === null
          ? await cluster.create({ apiVersion, kind, metadata: { name, namespace }, notified })
          : await cluster.replace({ ...found, notified });
      if ((kept as RunObject).notified === undefined) throw outdated("runs.stanch.dev");
      return bookOf(kept as RunObject);
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= 3) throw error;
      await clock.sleep(200 * attempt);
    }
  }
}

/** Without a place to write down what was told, everything would be told again by every run. */
export function outdated(definition: string): StanchError {
  return new StanchError("config", `${definition} is older than this program and does not keep what was told`, {
    hint: "kubectl apply --server-side -f deploy/crd.yaml",
  });
}

function bookOf(object: RunObject | null): Book {
  return { ...EMPTY, ...object?.notified };
}
