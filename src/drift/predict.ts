import { messageOf, StanchError } from "../errors.ts";
import { remember } from "../gitops/kept.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import type { KubeObject } from "../model.ts";
import type { Resource } from "../ports.ts";
import type { DriftReport } from "./model.ts";
import type { DriftRequest } from "./request.ts";
import { isSecret } from "./secret.ts";
import { type Deploys, isDeployer } from "./writer.ts";

const MANAGER: Readonly<Record<Exclude<Deploys, "configuration">, string>> = {
  argocd: "argocd-controller",
  kustomization: "kustomize-controller",
  helmrelease: "helm-controller",
};

/** The API server's answer to what the deployer's next apply would make of an object. */
export interface Predictor {
  /** Null: it is compared as it stands (client mode, no right to patch, no dry run for this kind). */
  predict(
    declared: KubeObject,
    live: KubeObject,
    at: { resource: Resource; deploys: Deploys; differs: boolean },
  ): Promise<KubeObject | null>;
  /** Which ways were gone. */
  mode(): DriftReport["mode"];
}

/**
 * By server-side apply as a dry run: nothing is written. `auto` asks where a difference was found and the account may patch, which is what a
 * dry run takes; `server` asks about every object. Where the API server does not answer, the object is compared as it stands.
 */
export function makePredictor({ cluster, mode, log }: Pick<DriftRequest, "cluster" | "mode" | "log">): Predictor {
  const rights = new Map<string, Promise<boolean>>();
  const refused = new Set<string>();
  let [asked, unasked] = [0, 0];
  const may = ({ group, plural }: Resource, namespace: string): Promise<boolean> =>
    remember(rights, `${group}/${plural}/${namespace}`, async () => {
      const access = { group, resource: plural, verb: "patch", ...(namespace === "" ? {} : { namespace }) };
      return (await cluster.review([access]))[0] === true;
    });
  return {
    async predict(declared, live, { resource, deploys, differs }) {
      if (mode === "client" || isSecret(declared)) return null;
      if (mode === "auto" && !differs) return null;
      const kind = `${resource.group}/${resource.plural}`;
      const may_ = await may(resource, live.metadata.namespace ?? "").catch(() => false);
      if (!may_ || refused.has(kind)) {
        unasked++;
        return null;
      }
      try {
        const { status: _, ...body } = declared;
        const predicted = await cluster.dryRunApply(body as KubeObject, { fieldManager: managerFor(live, deploys) });
        asked++;
        return predicted;
      } catch (error) {
        if (!(error instanceof StanchError)) throw error;
        // A webhook with side effects refuses every dry run of its kind.
        if (error.code === "forbidden" || /dry.?run/i.test(error.message)) refused.add(kind);
        log.debug("compared without the API server", { object: describeRef(refOf(live)), error: messageOf(error) });
        unasked++;
        return null;
      }
    },
    mode: () =>
      mode === "client" || asked === 0
        ? mode === "server" && unasked === 0
          ? "server"
          : "client"
        : unasked === 0
          ? "server"
          : "mixed",
  };
}

/** Without an engine, whoever applied it last as a whole. */
function managerFor(live: KubeObject, deploys: Deploys): string {
  if (deploys !== "configuration") return MANAGER[deploys];
  const entry = (live.metadata.managedFields ?? []).findLast(
    ({ manager = "", operation }) => operation === "Apply" && isDeployer(manager, deploys),
  );
  return entry?.manager ?? "kubectl";
}
