import { isHotfix, ORDER, withHotfixes } from "./item.ts";
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

type Cut = (roots: readonly CountedRoot[]) => readonly CountedRoot[];

function ofItems(change: (item: DriftItem) => DriftItem, isMeant = (item: DriftItem) => !isHotfix(item)): Cut {
  return (roots) =>
    roots.map((root) => ({ ...root, items: root.items.map((item) => (isMeant(item) ? change(item) : item)) }));
}

function withoutItems(isLeft: (item: DriftItem) => boolean): Cut {
  return (roots) => roots.map((root) => ({ ...root, items: root.items.filter((item) => !isLeft(item)) }));
}

/** So many of each source, and its hotfixes. */
function fewItems(most: number): Cut {
  return (roots) => roots.map((root) => ({ ...root, items: withHotfixes(root.items, most) }));
}

/** So many sources, worst first, and those with hotfixes. */
function fewRoots(most: number): Cut {
  return (roots) => {
    const sorted = worstFirst(roots);
    return [...sorted.slice(0, most), ...sorted.slice(most).filter(({ items }) => items.some(isHotfix))];
  };
}

function worstFirst(roots: readonly CountedRoot[]): CountedRoot[] {
  const rank = ({ error, counts }: CountedRoot): number =>
    error === undefined ? ORDER.findIndex((one) => (counts[one] ?? 0) > 0) : -1;
  return roots.toSorted((a, b) => rank(a) - rank(b));
}

const everyField =
  (change: (field: DriftItem["fields"][number]) => DriftItem["fields"][number]) =>
  (item: DriftItem): DriftItem => ({ ...item, fields: item.fields.map(change) });

/**
 * Deliberately in this order: what a reader can do without goes first, what says that something is wrong goes late, and what says which
 * hotfixes the cluster carries goes last.
 */
export const STEPS: readonly { readonly says: string; readonly cut: Cut }[] = [
  { says: "values are cut to 60 letters", cut: ofItems(everyField(shortValues)) },
  { says: "values are left off", cut: ofItems(everyField(noValues)) },
  {
    says: "fields of objects that are not drift are left off",
    cut: ofItems((item) => (isWrong(item) ? item : noFields(item))),
  },
  { says: "five fields of an object are listed", cut: ofItems((item) => fewFields(item, 5)) },
  { says: "fields are left off", cut: ofItems(noFields) },
  { says: "objects that wait for a deployment are left off", cut: withoutItems((item) => item.class === "pending") },
  {
    says: "objects that are not drift are left off",
    cut: withoutItems((item) => !isWrong(item) && !isHotfix(item)),
  },
  {
    says: "sentences are cut to 80 letters",
    cut: ofItems(
      (item) => ({ ...item, text: cut(item.text, 80) }),
      () => true,
    ),
  },
  ...[100, 30, 10, 3, 0].map((most) => ({
    says: most === 0 ? "objects are left off" : `${most} objects of a source are listed`,
    cut: fewItems(most),
  })),
  ...[100, 30, 10, 0].map((most) => ({
    says: most === 0 ? "sources are left off" : `${most} sources are listed`,
    cut: fewRoots(most),
  })),
  { says: "values of hotfixes are cut to 60 letters", cut: ofItems(everyField(shortValues), isHotfix) },
  { says: "fields of hotfixes are left off", cut: ofItems(noFields, isHotfix) },
  { says: "hotfixes are left off", cut: () => [] },
];
