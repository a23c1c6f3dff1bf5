import type { Scripted } from "./messages-api.ts";
import { answering } from "./messages-api.ts";

/**
 * What a model might say to each of the worlds. Nobody was asked: these are written by hand, after what such models are known to do, so that
 * everything around them can be tested. `expect` is what must come of it.
 */
export interface Transcript {
  readonly script: readonly Scripted[];
  readonly expect: { readonly by: "model" | "rule"; readonly remedy?: string; readonly says?: RegExp };
}

const looks = (...calls: readonly [string, object][]): Scripted => ({
  thinking: true,
  calls: calls.map(([name, input]) => ({ name, input })),
});

export const SCRIPTS: Readonly<Record<string, Transcript>> = {
  "two-tags": {
    script: [
      looks(["file", { path: "apps/cart/README.md" }], ["events", {}]),
      answering(
        { remedy: "correct-image", container: "app", image: "ghcr.io/acme/cart:1.4.2-alpine" },
        [
          { id: "e1", quote: "manifest unknown" },
          { id: "t1", quote: "We ship the alpine build" },
        ],
        "The tag 1.4.2-alpin is mistyped; the repository says that the alpine build is shipped.",
      ),
    ],
    expect: { by: "model", remedy: "correct-image" },
  },
  "two-ports": {
    script: [
      looks(["logs", { container: "app", previous: true }]),
      answering(
        { remedy: "correct-probe", container: "app", probes: [{ probe: "livenessProbe", port: "http" }] },
        [{ id: "t1", quote: "listening for requests on :8080" }],
        "The probe asks a port on which nothing listens; requests are served on 8080.",
      ),
    ],
    expect: { by: "model", remedy: "correct-probe" },
  },
  "changed-environment": {
    script: [
      looks(["commit_history", {}]),
      answering(
        { remedy: "restore-from-git", changes: ["c2"] },
        [
          { id: "e1", quote: "unknown CHECKOUT_MODE turbo" },
          { id: "t1", quote: "turbo → standard" },
        ],
        "The program does not know CHECKOUT_MODE turbo, which the last commit brought in.",
      ),
    ],
    expect: { by: "model", remedy: "restore-from-git" },
  },
  "changed-config": {
    script: [
      looks(["object", { kind: "ConfigMap", name: "settings" }], ["commit_history", {}]),
      answering(
        { remedy: "restore-from-git", changes: ["c1"] },
        [
          { id: "e1", quote: "LOG_LEVEL loud is not a level" },
          { id: "t2", quote: "loud → info" },
        ],
        "LOG_LEVEL has a value that the program refuses.",
      ),
    ],
    expect: { by: "model", remedy: "restore-from-git" },
  },
  "two-config-maps": {
    script: [
      looks(["object", { kind: "Deployment", name: "cart" }]),
      answering(
        { remedy: "repoint-reference", name: "settings" },
        [{ id: "e1", quote: 'configmap "setings" not found' }],
        "The name of the ConfigMap is mistyped.",
      ),
    ],
    expect: { by: "model", remedy: "repoint-reference" },
  },
  "programs-bug": {
    script: [
      looks(["logs", { container: "app", previous: true }], ["commit_history", {}], ["rollout_history", {}]),
      answering(
        { remedy: "none", needs: "A person must correct the program: the cart reads a total that is undefined." },
        [{ id: "e1", quote: "Cannot read properties of undefined" }],
        "The program has a fault of its own.",
      ),
    ],
    expect: { by: "rule", says: /it found no remedy either: A person must correct the program/ },
  },
  "older-revision": {
    script: [
      looks(["rollout_history", {}]),
      answering(
        { remedy: "rollback", revision: "cart-a" },
        [
          { id: "e1", quote: "schema 3 is newer than this program" },
          { id: "t1", quote: "cart-a: revision 1" },
        ],
        "The image of revision 2 is gone; revision 1 runs and has its image.",
      ),
    ],
    expect: { by: "model", remedy: "rollback" },
  },
  "refused-manifest": {
    script: [
      looks(["commit_history", {}]),
      answering(
        { remedy: "restore-manifest", changes: ["c1"] },
        [{ id: "t1", quote: "commit 1a2b3c4d5e, 20" }],
        "The last commit made the arguments what the API server refuses.",
      ),
    ],
    expect: { by: "model", remedy: "restore-manifest" },
  },
  quota: {
    script: [
      answering(
        { remedy: "none", needs: "A person must raise the quota, or lower what the pods ask for." },
        [{ id: "e1", quote: "exceeded quota: compute" }],
        "The namespace has no memory left in its quota.",
      ),
    ],
    expect: { by: "rule", says: /A person must raise the quota/ },
  },
};
