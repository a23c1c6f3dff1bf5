import type { Flow, KubeObject } from "../model.ts";
import { fieldAt, listAt, mapAt, numberAt, textAt } from "./fields.ts";
import { matchesSelector } from "./selectors.ts";

/**
 * Do the NetworkPolicies of a namespace let pods ask others of the same namespace? Null where that cannot be told from them: addresses,
 * other namespaces' labels and named ports. https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
export function letsThrough(policies: readonly KubeObject[], flow: Flow): boolean | null {
  const answers = [
    ...directionOf(policies, "Ingress", flow.to).map((policy) =>
      opens(policy, "ingress", "from", flow.from, flow.port),
    ),
  ];
  const out = directionOf(policies, "Egress", flow.from).map((policy) =>
    opens(policy, "egress", "to", flow.to, flow.port),
  );
  return both(any(answers), any(out));
}

/** Policies that select the pods for a direction: with one of them, only what one of them opens passes. */
function directionOf(policies: readonly KubeObject[], type: "Ingress" | "Egress", labels: Flow["from"]): KubeObject[] {
  return policies.filter((policy) => {
    const types = listAt(policy, "spec", "policyTypes");
    const isOf =
      types.length > 0 ? types.includes(type) : type === "Ingress" || listAt(policy, "spec", "egress").length > 0;
    return isOf && matchesSelector(mapAt(policy, "spec", "podSelector") ?? {}, labels);
  });
}

function opens(
  policy: KubeObject,
  list: "ingress" | "egress",
  peers: "from" | "to",
  labels: Flow["from"],
  port: number,
): boolean | null {
  const rules = listAt(policy, "spec", list).map((rule) =>
    both(hasPeer(listAt(rule, peers), labels), hasPort(rule, port)),
  );
  return rules.length === 0 ? false : any(rules);
}

function hasPeer(peers: readonly unknown[], labels: Flow["from"]): boolean | null {
  if (peers.length === 0) return true;
  return any(
    peers.map((peer) => {
      if (fieldAt(peer, "ipBlock") !== undefined) return null;
      const spaces = mapAt(peer, "namespaceSelector");
      const pods = mapAt(peer, "podSelector");
      const fits = pods === undefined || matchesSelector(pods, labels);
      if (spaces === undefined) return fits;
      // An empty selector takes every namespace; of another one it is not known whether this namespace has its labels.
      return Object.keys(spaces).length === 0 ? fits : fits ? null : false;
    }),
  );
}

function hasPort(rule: unknown, port: number): boolean | null {
  const ports = listAt(rule, "ports");
  if (ports.length === 0) return true;
  return any(
    ports.map((item) => {
      if ((textAt(item, "protocol") ?? "TCP") !== "TCP") return false;
      const from = fieldAt(item, "port");
      if (from === undefined) return true;
      if (typeof from !== "number") return null;
      const to = numberAt(item, "endPort") ?? from;
      return port >= from && port <= to;
    }),
  );
}

/** True where one is true, null where none is but one is not known. None at all: nothing restricts. */
function any(answers: readonly (boolean | null)[]): boolean | null {
  if (answers.length === 0 || answers.includes(true)) return true;
  return answers.includes(null) ? null : false;
}

function both(a: boolean | null, b: boolean | null): boolean | null {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}
