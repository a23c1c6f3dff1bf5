interface Counts {
  readonly pods: number;
  readonly workloads: number;
  readonly namespaces: number;
}

/** `1 pod of 1 workload in 2 namespaces`. */
export function countsLine({ pods, workloads, namespaces }: Counts): string {
  const amount = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
  return `${amount(pods, "pod")} of ${amount(workloads, "workload")} in ${amount(namespaces, "namespace")}`;
}
