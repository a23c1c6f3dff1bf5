import type { DriftReport, Hidden } from "./model.ts";

/**
 * What of a report is one repository's: its sources, and the rules that are about them. Rules name other teams' Applications, and what is in
 * them. What could not be read of the cluster is everybody's.
 */
export function ofRepository(report: DriftReport, repository: string): DriftReport {
  const isOwn = (other: string): boolean => other.toLowerCase() === repository.toLowerCase();
  const hidden = report.hidden.flatMap(({ rule, repositories = [] }): Hidden[] => {
    const own = repositories.filter((one) => isOwn(one.repository));
    return own.length === 0 ? [] : [{ rule, count: own.reduce((sum, { count }) => sum + count, 0) }];
  });
  return { ...report, roots: report.roots.filter((root) => isOwn(root.repository)), hidden };
}

/** Counts what was left out by rule, and whose it is. */
export interface Hiding {
  /** `repository` "": nobody's. */
  hide(rule: string, repository: string, count?: number): void;
  all(): readonly Hidden[];
}

export function makeHiding(): Hiding {
  const rules = new Map<string, Map<string, number>>();
  return {
    hide(rule, repository, count = 1) {
      const of = rules.get(rule) ?? new Map<string, number>();
      rules.set(rule, of.set(repository, (of.get(repository) ?? 0) + count));
    },
    all: () =>
      [...rules]
        .map(([rule, of]): Hidden => {
          const count = [...of.values()].reduce((sum, each) => sum + each, 0);
          const repositories = [...of].flatMap(([repository, each]) =>
            repository === "" ? [] : [{ repository, count: each }],
          );
          return { rule, count, ...(repositories.length === 0 ? {} : { repositories }) };
        })
        .toSorted((a, b) => a.rule.localeCompare(b.rule)),
  };
}
