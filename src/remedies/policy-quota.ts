import { fieldAt } from "../kube/fields.ts";
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from "../kube/quantity.ts";
import type { Finding } from "../model.ts";
import type { Policy } from "./policy.ts";

/** `exceeded quota: team, requested: requests.cpu=50m, used: requests.cpu=0, limited: requests.cpu=60m` */
const EXCEEDED = /exceeded quota: ([a-z0-9.-]{1,253}), requested: (\S{1,500}), used: (\S{1,500}), limited: (\S{1,500})/;

/** Pods are refused because a quota was lowered below what runs. The API server names the quota and the amounts. */
export const quota: Policy = {
  kinds: ["ResourceQuota"],
  concerns: (finding) => exceeded(finding) !== null,
  suspects(finding, context) {
    const told = exceeded(finding);
    const quotas = context.others("ResourceQuota", finding.workload.namespace) ?? [];
    return quotas.filter((object) => object.metadata.name === told?.name);
  },
  admits(object, finding) {
    const needs = exceeded(finding)?.needs ?? [];
    return needs.filter(([resource, amount]) => {
      const hard = fieldAt(object, "spec", "hard", resource);
      const limit = parseQuantity(hard);
      return hard === undefined || (limit !== null && compareQuantities(limit, amount) >= 0);
    }).length;
  },
  objection: () => null,
  decides: "how much a namespace may use is decided by whoever reviews it",
};

/** The quota, and of each resource that it limits what was used and asked for together. */
function exceeded({ symptom }: Finding): {
  readonly name: string;
  readonly needs: readonly (readonly [string, Quantity])[];
} | null {
  const match = symptom.kind === "PodsRefused" ? EXCEEDED.exec(symptom.message) : null;
  if (match === null) return null;
  const [, name = "", requested = "", used = "", limited = ""] = match;
  const [asked, taken] = [amountsIn(requested), amountsIn(used)];
  const needs = [...amountsIn(limited).keys()].flatMap((resource) => {
    const [more, before] = [asked.get(resource), taken.get(resource)];
    return more === undefined || before === undefined ? [] : [[resource, addQuantities(more, before)] as const];
  });
  return needs.length === 0 ? null : { name, needs };
}

/** `cpu=1,memory=2Gi` */
function amountsIn(text: string): Map<string, Quantity> {
  return new Map(
    text.split(",").flatMap((part) => {
      const [resource = "", amount = ""] = part.split("=");
      const quantity = parseQuantity(amount);
      return quantity === null ? [] : [[resource, quantity] as const];
    }),
  );
}
