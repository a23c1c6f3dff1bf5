import type { Change, Commit } from "../model.ts";

/** What was shown to the model, by id: what it may cite, and what it may put back. */
export interface Book {
  readonly shown: Map<string, { readonly kind: string; readonly text: string }>;
  /** Changes of Git's history (or of drift) by id; `commit` absent: the cluster differs from Git. */
  readonly changes: Map<string, { readonly commit?: Commit; readonly change: Change }>;
}

export function newBook(): Book {
  return { shown: new Map(), changes: new Map() };
}

/** Enters what is about to be shown, as it is shown. */
export function enter(book: Book, id: string, kind: string, text: string): void {
  const known = book.shown.get(id);
  book.shown.set(id, { kind, text: known === undefined ? text : `${known.text}\n${text}` });
}

/** The id of a change; the same change keeps its id however often it is shown. */
export function changeId(book: Book, change: Change, commit?: Commit): string {
  const key = JSON.stringify([commit?.sha, change]);
  for (const [id, known] of book.changes) if (JSON.stringify([known.commit?.sha, known.change]) === key) return id;
  const id = `c${book.changes.size + 1}`;
  book.changes.set(id, { ...(commit === undefined ? {} : { commit }), change });
  return id;
}
