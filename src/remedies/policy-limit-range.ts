import { fieldAt, listAt, textAt } from "../kube/fields.ts";
import { compareQuantities, parseQuantity } from "../kube/quantity.ts";
import type { Finding, KubeObject } from "../model.ts";
import type { Policy } from "./policy.ts";

/** `maximum memory usage per Container is 48Mi, but limit is 64Mi` */
const BOUND =
  /(maximum|minimum) (\S{1,100}) usage per (Container|Pod|PersistentVolumeClaim) is (\d\S{0,30}?), but (?:limit|request) is (\d\S{0,30}?)(?=[\s,;.\]]|$)/g;

interface Bound {
  readonly end: "max" | "min";
  readonly resource: string;
  readonly type: string;
  readonly is: string;
  readonly asked: string;
}

/** Pods are refused because a LimitRange was tightened beyond what runs. The API server names the bound and the amount. */
export const limitRange: Policy = {
  kinds: ["LimitRange"],
  concerns: (finding) => boundsIn(finding).length > 0,
  suspects(finding, context) {
    const ranges = context.others("LimitRange", finding.workload.namespace) ?? [];
    return ranges.filter((object) => boundsIn(finding).some((bound) => setsBound(object, bound)));
  },
  admits: (object, finding) => boundsIn(finding).filter((bound) => allows(object, bound)).length,
  objection: () => null,
  decides: "how much a container may ask for is decided by whoever reviews it",
};

function boundsIn({ symptom }: Finding): Bound[] {
  if (symptom.kind !== "PodsRefused") return [];
  return [...symptom.message.matchAll(BOUND)].map(
    ([, end, resource = "", type = "", is = "", asked = ""]): Bound => ({
      end: end === "maximum" ? "max" : "min",
      resource,
      type,
      is,
      asked,
    }),
  );
}

function setsBound(object: KubeObject, bound: Bound): boolean {
  return valuesOf(object, bound).some((value) => compare(value, bound.is) === 0);
}

function allows(object: KubeObject, bound: Bound): boolean {
  return valuesOf(object, bound).every((value) => {
    const order = compare(bound.asked, value);
    return order !== null && (bound.end === "max" ? order <= 0 : order >= 0);
  });
}

function valuesOf(object: KubeObject, { end, resource, type }: Bound): unknown[] {
  return listAt(object, "spec", "limits")
    .filter((item) => textAt(item, "type") === type)
    .map((item) => fieldAt(item, end, resource))
    .filter((value) => value !== undefined);
}

function compare(a: unknown, b: unknown): number | null {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left === null || right === null ? null : compareQuantities(left, right);
}
