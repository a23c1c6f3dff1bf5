import { ORDER } from "./item.ts";
import type { DriftItem } from "./model.ts";
import { type CountedRoot, cut } from "./sanitise.ts";

const isWrong = ({ class: kind }: DriftItem): boolean => ["unknown", "drift", "missing", "extra"].includes(kind);
const noFields = (item: DriftItem): DriftItem => fewFields(item, 0);

function fewFields(item: DriftItem, most: number): DriftItem {
  return { ...item, fields: item.fields.slice(0, most), more: item.more + Math.max(0, item.fields.length - most) };
}

function shortValues(field: DriftItem["fields"][number]): DriftItem["fields"][number] {
  const short = (shown: typeof field.git): typeof field.git => {
    if (shown === undefined) return undefined;
    const text = "value" in shown ? JSON.stringify(shown.value) : "cut" in shown ? shown.cut : shown.hash;
    return text.length <= 60 ? shown : { cut: cut(text, 60) };
  };
  const [git, live] = [short(field.git), short(field.live)];
  return { ...field, ...(git === undefined ? {} : { git }), ...(live === undefined ? {} : { live }) };
}

function noValues({ git: _git, live: _live, ...field }: DriftItem["fields"][number]): DriftItem["fields"][number] {
  return field;
}

function ofItems(change: (item: DriftItem) => DriftItem): (roots: readonly CountedRoot[]) => readonly CountedRoot[] {
  return (roots) => roots.map((root) => ({ ...root, items: root.items.map(change) }));
}

function withoutItems(isLeft: (item: DriftItem) => boolean): (roots: readonly CountedRoot[]) => readonly CountedRoot[] {
  return (roots) => roots.map((root) => ({ ...root, items: root.items.filter((item) => !isLeft(item)) }));
}

function worstFirst(roots: readonly CountedRoot[]): CountedRoot[] {
  const rank = ({ error, counts }: CountedRoot): number =>
    error === undefined ? ORDER.findIndex((one) => (counts[one] ?? 0) > 0) : -1;
  return roots.toSorted((a, b) => rank(a) - rank(b));
}

/** Deliberately in this order: what a reader can do without goes first, and what says that something is wrong goes last. */
export const STEPS: readonly {
  readonly says: string;
  readonly cut: (roots: readonly CountedRoot[]) => readonly CountedRoot[];
}[] = [
  { says: "values are cut to 60 letters", cut: ofItems((item) => ({ ...item, fields: item.fields.map(shortValues) })) },
  { says: "values are left off", cut: ofItems((item) => ({ ...item, fields: item.fields.map(noValues) })) },
  {
    says: "fields of objects that are not drift are left off",
    cut: ofItems((item) => (isWrong(item) ? item : noFields(item))),
  },
  { says: "five fields of an object are listed", cut: ofItems((item) => fewFields(item, 5)) },
  { says: "fields are left off", cut: ofItems(noFields) },
  { says: "objects that wait for a deployment are left off", cut: withoutItems((item) => item.class === "pending") },
  { says: "objects that are not drift are left off", cut: withoutItems((item) => !isWrong(item)) },
  { says: "sentences are cut to 80 letters", cut: ofItems((item) => ({ ...item, text: cut(item.text, 80) })) },
  ...[100, 30, 10, 3, 0].map((most) => ({
    says: most === 0 ? "objects are left off" : `${most} objects of a source are listed`,
    cut: (roots: readonly CountedRoot[]) => roots.map((root) => ({ ...root, items: root.items.slice(0, most) })),
  })),
  ...[100, 30, 10, 0].map((most) => ({
    says: most === 0 ? "sources are left off" : `${most} sources are listed`,
    cut: (roots: readonly CountedRoot[]) => worstFirst(roots).slice(0, most),
  })),
];
