import type { Config } from "../config/schema.ts";
import { managersOf } from "../kube/field-managers.ts";
import { getAt } from "../kube/field-path.ts";
import { fieldAt, mapAt, textAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { resourceOf } from "../kube/resources.ts";
import type { Change, FieldPath, Hold, HoldKind, Json, KubeObject, ObjectRef } from "../model.ts";
import type { Access } from "../ports.ts";
import { coversFields, healsItself } from "./argocd.ts";
import { claimOf, claimsOf } from "./claim.ts";
import type { Deployer } from "./origin.ts";

/** The hold that a live change of an object would stand under, or why there is none. */
export type HoldChoice =
  | { readonly possible: true; readonly hold: Hold }
  /** `deployed by …`: completes a sentence about the object. */
  | { readonly possible: false; readonly reason: string };

/** Of the live object: Flux does not apply it. https://fluxcd.io/flux/components/kustomize/kustomizations/#controlling-the-apply-behavior-of-resources */
const RECONCILE: FieldPath = ["metadata", "annotations", "kustomize.toolkit.fluxcd.io/reconcile"];
const APPLY = "kustomize.toolkit.fluxcd.io/ssa";
/** Of the live object: helm-controller does not correct it. https://fluxcd.io/flux/components/helm/helmreleases/#drift-detection */
const DRIFT: FieldPath = ["metadata", "annotations", "helm.toolkit.fluxcd.io/driftDetection"];
/** Of the Application. https://argo-cd.readthedocs.io/en/stable/user-guide/skip_reconcile/ */
const SKIP: FieldPath = ["metadata", "annotations", "argocd.argoproj.io/skip-reconcile"];
const SUSPEND: FieldPath = ["spec", "suspend"];

interface Case {
  readonly live: KubeObject;
  readonly ref: ObjectRef;
  readonly deployer: Deployer;
  readonly settings: Pick<Config, "holds">;
  readonly may: (access: Access) => boolean;
  /** A hold of this kind that writes `to` at `path` of an object (none: nothing is written). */
  readonly hold: (kind: HoldKind, reason: string, writes?: Write) => HoldChoice;
}

interface Write {
  readonly on: KubeObject;
  readonly path: FieldPath;
  readonly to: Json;
}

/**
 * The least intrusive hold under which a live change of this object would stand. An owner that cannot be read, settings that are not understood: it is
 * taken to revert. What is held already by somebody else stays theirs; what an earlier incident of ours left held is taken over.
 */
export function holdFor(
  live: KubeObject,
  deployer: Deployer | null,
  settings: Pick<Config, "holds">,
  now: Date,
  may: (access: Access) => boolean = () => true,
): HoldChoice {
  const ref = refOf(live);
  const hold: Case["hold"] = (kind, reason, writes) => ({
    possible: true,
    hold: {
      kind,
      object: ref,
      ...(deployer === null ? {} : { owner: deployer.ref }),
      reason,
      takenAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + settings.holds.expiry).toISOString(),
      changes: writes === undefined ? [] : [changeOf(writes)],
    },
  });
  const claims = claimsOf(live);
  if (claims.length > 1)
    return no(`claimed by ${claims.map((claim) => claim.name).join(" and by ")}: holding one leaves the other`);
  if (deployer === null) {
    const claim = claimOf(live);
    if (claim === null) return hold("none", "no GitOps engine deploys it");
    if (claim.engine !== "helm")
      return no(`deployed by ${claim.name}, which cannot be read and may revert a live change`);
    return settings.holds.helm
      ? hold("none", `${claim.name} does not watch it; its next upgrade would take the live change back`)
      : no(`deployed by ${claim.name}, whose next upgrade would revert a live change (holds.helm)`);
  }
  const known: Case = { live, ref, deployer, settings, may, hold };
  if (mapAt(deployer.object, "spec") === undefined)
    return no(`deployed by ${describeRef(deployer.ref)}, whose settings cannot be read: it may revert a live change`);
  if (deployer.ref.kind === "Application") return ofApplication(known);
  if (deployer.ref.kind === "Kustomization") return ofKustomization(known);
  if (deployer.ref.kind === "HelmRelease") return ofHelmRelease(known);
  return no(`deployed by ${describeRef(deployer.ref)}, for which no hold is known`);
}

function ofApplication(known: Case): HoldChoice {
  const { deployer, ref, hold } = known;
  const name = describeRef(deployer.ref);
  const app = deployer.object;
  // By ownership it is held as long as our entry stands, whether it heals itself or not: an end must come to that as well.
  if (coversFields(app, ref)) return hold("argocd-fields", `${name} respects the fields that Stanch owns`);
  if (getAt(app, SKIP) === "true")
    return isOurs(app, SKIP)
      ? hold("argocd-skip", `${name} rests`, { on: app, path: SKIP, to: "true" })
      : hold("none", `${name} is held already (skip-reconcile), and not by this incident`);
  if (!healsItself(app))
    return hold("none", `${name} does not heal itself; its next sync would take the live change back`);
  return ofOwner(known, "argocd-skip", { on: app, path: SKIP, to: "true" });
}

function ofKustomization(known: Case): HoldChoice {
  const { deployer, live, settings, hold } = known;
  const name = describeRef(deployer.ref);
  const resting = restingOwner(known);
  if (resting !== null) return resting;
  const writes = { on: live, path: RECONCILE, to: "disabled" };
  if (getAt(live, RECONCILE) === "disabled")
    return isOurs(live, RECONCILE)
      ? hold("flux-object", `${name} leaves the annotated object alone`, writes)
      : hold("none", "it is held already (reconcile: disabled), and not by this incident");
  const apply = textAt(live, "metadata", "annotations", APPLY);
  if (apply === "Ignore" || apply === "IfNotPresent")
    return hold("none", `${name} does not apply it (annotation ssa: ${apply})`);
  if (settings.holds.object) return hold("flux-object", `${name} leaves the annotated object alone`, writes);
  return ofOwner(known, "flux-suspend", { on: deployer.object, path: SUSPEND, to: true });
}

function ofHelmRelease(known: Case): HoldChoice {
  const { deployer, live, settings, hold } = known;
  const name = describeRef(deployer.ref);
  const resting = restingOwner(known);
  if (resting !== null) return resting;
  const drift = fieldAt(deployer.object, "spec", "driftDetection");
  const mode = textAt(drift, "mode");
  if (drift === undefined || drift === null || mode === "disabled" || mode === "warn")
    return hold("none", `${name} does not correct drift; its next upgrade would take the live change back`);
  const writes = { on: live, path: DRIFT, to: "disabled" };
  if (getAt(live, DRIFT) === "disabled")
    return isOurs(live, DRIFT)
      ? hold("flux-drift", `${name} does not correct the annotated object`, writes)
      : hold("none", "it is held already (driftDetection: disabled), and not by this incident");
  if (settings.holds.object)
    return hold("flux-drift", `${name} does not correct the annotated object; its next upgrade would`, writes);
  return ofOwner(known, "flux-suspend", { on: deployer.object, path: SUSPEND, to: true });
}

/** A suspended Flux owner reverts nothing; suspended by an earlier incident of ours, it is this one's to resume. */
function restingOwner({ deployer, hold }: Case): HoldChoice | null {
  if (getAt(deployer.object, SUSPEND) !== true) return null;
  const name = describeRef(deployer.ref);
  return isOurs(deployer.object, SUSPEND)
    ? hold("flux-suspend", `${name} rests`, { on: deployer.object, path: SUSPEND, to: true })
    : hold("none", `${name} is suspended, and not by this incident`);
}

/** The owner as a whole rests: only where that is allowed, where nobody would take the hold back, and with the right to it. */
function ofOwner(known: Case, kind: HoldKind, writes: Write): HoldChoice {
  const { deployer, settings, may, hold } = known;
  const name = describeRef(deployer.ref);
  const why = (text: string): HoldChoice => no(`deployed by ${name}, which would revert a live change: ${text}`);
  if (!settings.holds.application)
    return why(
      deployer.ref.kind === "Application"
        ? "it does not respect fields of Stanch's, and letting it rest is not allowed (holds.application)"
        : "neither the object nor its owner may be held (holds.object, holds.application)",
    );
  const maker = makerOf(deployer);
  if (maker !== null) return why(`${maker}, which makes it, would take a hold back`);
  // Engines leave alone what their Git does not say. What stands there already in another value is what Git says.
  const stands = getAt(writes.on, writes.path);
  if (stands !== undefined && (claimOf(writes.on) !== null || isApplied(writes.on, writes.path)))
    return why(`it is itself deployed from Git, which says ${String(writes.path.at(-1))}: ${JSON.stringify(stands)}`);
  if (!may(patchOf(deployer.ref))) return why(`this account may not patch it, so it cannot be made to rest`);
  return hold(kind, `${name} would revert a live change, and rests meanwhile`, writes);
}

/** The ApplicationSet that makes an Application puts its annotations and its spec back at once. */
function makerOf({ object }: Deployer): string | null {
  const owner = object.metadata.ownerReferences?.find((entry) => entry.kind === "ApplicationSet");
  return owner === undefined ? null : `ApplicationSet ${owner.name}`;
}

/** A right to patch one object. */
export function patchOf(ref: ObjectRef): Access {
  const resource = resourceOf(ref.apiVersion, ref.kind);
  return {
    group: resource?.group ?? "",
    // A kind that is not known is a right that nobody holds.
    resource: resource?.plural ?? ref.kind.toLowerCase(),
    verb: "patch",
    namespace: ref.namespace,
  };
}

function changeOf({ on, path, to }: Write): Change {
  const stands = getAt(on, path);
  // Where ours stands already, what was there before is not known any more; the absent field is what an engine starts from.
  const from = stands === to ? undefined : stands;
  return { object: refOf(on), path, ...(from === undefined ? {} : { from }), to };
}

/** Does a field stand because Stanch wrote it? */
export function isOurs(object: KubeObject, path: FieldPath): boolean {
  return managersOf(object, path).some((entry) => entry.manager === "stanch");
}

function isApplied(object: KubeObject, path: FieldPath): boolean {
  return managersOf(object, path).some((entry) => entry.operation === "Apply");
}

function no(reason: string): HoldChoice {
  return { possible: false, reason };
}
