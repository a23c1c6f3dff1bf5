import type { Hosts } from "../../src/compose.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Cluster, Repositories } from "../../src/ports.ts";

type Doors = { api: Cluster; hosts: Hosts };

/** How often it happens depends on how long the run takes, and one is like the other. */
export const RENEWAL = "renew Lease";

export interface Kill {
  readonly wrap: (doors: Doors) => Doors;
  readonly died: Promise<"died">;
  /** The writes so far, in order. */
  readonly writes: readonly string[];
}

/**
 * Ends a run at one of its writes to anything outside, right before or right after it happened: like a killed process, nothing
 * that comes later is done, not even what `finally` says. `place`: the write's name, or its number (renewals are not counted).
 */
export function killAt(place: string | number, when: "before" | "after"): Kill {
  const writes: string[] = [];
  let killed = false;
  let counted = 0;
  let dead = (): void => undefined;
  const died = new Promise<"died">((resolve) => {
    dead = () => resolve("died");
  });
  const never = new Promise<never>(() => undefined);
  const die = (): Promise<never> => {
    killed = true;
    dead();
    return never;
  };
  /** `nameOf` says which write a call is; null for what only asks. */
  const write =
    <A extends unknown[], R>(does: (...args: A) => Promise<R>, nameOf: (...args: A) => string | null) =>
    async (...args: A): Promise<R> => {
      const plain = nameOf(...args);
      if (plain === null) return does(...args);
      if (killed) return never;
      const name = writes.includes(plain) && plain !== RENEWAL ? `${plain}, second time` : plain;
      const here = typeof place === "string" ? name === place : plain !== RENEWAL && counted === place;
      if (plain !== RENEWAL) counted += 1;
      writes.push(name);
      if (here && when === "before") return die();
      const result = await does(...args);
      return here ? die() : result;
    };
  const wrap = ({ api, hosts }: Doors): Doors => {
    const repositories: Repositories = {
      async open(repository, branch) {
        const checkout = await hosts.repositories.open(repository, branch);
        return { ...checkout, publish: write(checkout.publish, () => "publish") };
      },
    };
    return {
      api: {
        ...api,
        create: write(api.create, (object, options) =>
          options?.dryRun === true ? null : `create ${object.kind} ${object["reason"] ?? ""}`.trim(),
        ),
        patch: write(api.patch, (ref, _, options) => (options?.dryRun === true ? null : `patch ${ref.kind}`)),
        replace: write(api.replace, replaced),
        delete: write(api.delete, (ref) => `delete ${ref.kind}`),
        evict: write(api.evict, () => "evict"),
        exec: write(api.exec, () => "exec"),
      },
      hosts: {
        ...hosts,
        repositories,
        codeHost: {
          ...hosts.codeHost,
          createPullRequest: write(hosts.codeHost.createPullRequest, () => "create pull request"),
          updatePullRequest: write(hosts.codeHost.updatePullRequest, () => "update pull request"),
          createIssue: write(hosts.codeHost.createIssue, () => "create issue"),
          updateIssue: write(hosts.codeHost.updateIssue, () => "update issue"),
          comment: write(hosts.codeHost.comment, () => "comment"),
          createComment: write(hosts.codeHost.createComment, () => "create comment"),
          addLabels: write(hosts.codeHost.addLabels, () => "add labels"),
          removeLabel: write(hosts.codeHost.removeLabel, () => "remove label"),
          markReady: write(hosts.codeHost.markReady, () => "mark ready"),
          requestReviewers: write(hosts.codeHost.requestReviewers, () => "request reviewers"),
          deleteBranch: write(hosts.codeHost.deleteBranch, () => "delete branch"),
        },
      },
    };
  };
  return { wrap, died, writes };
}

function replaced(object: KubeObject): string {
  if (object.kind !== "Lease") return `${object.kind} ${(object["status"] as { phase?: string } | undefined)?.phase}`;
  return (object["spec"] as { holderIdentity?: string }).holderIdentity === "" ? "release Lease" : RENEWAL;
}
