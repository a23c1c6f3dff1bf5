import { IGNORE, inScope } from "./config/scope.ts";
import { messageOf } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import { containerOf } from "./kube/template.ts";
import type { Commit, KubeObject, ObjectRef, PullRequestRef } from "./model.ts";
import { pullCredentials } from "./observe/pull-credentials.ts";
import type { PreviousVersion } from "./remedies/remedy.ts";
import type { Run } from "./run.ts";
import { type AppRepository, findAppRepository } from "./steps/app-repository.ts";
import { type Reported, reportIssue } from "./steps/report.ts";

export interface ProgramFault {
  /** With what was seen last. */
  readonly incident: Incident;
  /** The live workload; absent: it is gone. */
  readonly object: KubeObject | undefined;
  /** Why no remedy was of use. */
  readonly refusals: readonly string[];
  readonly since: string;
  /** What contains it, or contained it for a while. */
  readonly contained?: string;
  /** A model's fix of it, which waits for people or was merged. */
  readonly fix?: PullRequestRef;
  /** The commit with which the image came, where that is known already; null: nobody knows. */
  readonly arrived?: Commit | null;
  /** What Git's history says of an object. */
  previous(ref: ObjectRef): Promise<readonly PreviousVersion[]>;
}

export interface Told extends Reported {
  /** Where its code is, when that is known. */
  readonly app?: Extract<AppRepository, { found: true }>;
  readonly image?: string;
  readonly arrived?: Commit | null;
}

/** May a fault of this workload's program be told to its developers at all? Not in a storm, nor of what is left out. */
export function mayTell(workload: ObjectRef, object: KubeObject | undefined, run: Run): boolean {
  const { issues, guard } = run.config;
  return (
    issues.enabled &&
    issues.apps &&
    run.tally.ripe <= guard.storm &&
    inScope(workload.namespace, run.config) &&
    object?.metadata.annotations?.[IGNORE] !== "true"
  );
}

/** Tells a fault of the program where its code is: one issue, met again by its mark. Where there is no place for it, that is a sentence. */
export async function tellProgram(fault: ProgramFault, run: Run): Promise<Told> {
  const { incident, object, refusals, since, contained, fix } = fault;
  const { spec } = incident;
  const container = object === undefined ? null : containerOf(object, spec.container ?? "");
  const image = container?.spec["image"];
  if (object === undefined || container === null || typeof image !== "string")
    return { phase: "Escalated", sentence: "", more: {} };
  const app = await findAppRepository(
    {
      object,
      image,
      known: incident.status?.image,
      home: await homeOf(spec.workload, run),
      credentials: () => pullCredentials(object, image, run),
    },
    run,
  );
  const more = app.image === undefined ? {} : { image: app.image };
  if (!app.found) return { phase: "Escalated", sentence: `It is not reported to its developers: ${app.reason}.`, more };
  const arrived = fault.arrived ?? (await arrivalOf(spec.container ?? "", fault, run));
  const told = await reportIssue(
    {
      incident,
      repository: app.repository,
      matter: {
        kind: "program",
        image,
        ...(app.image === undefined ? {} : { digest: app.image.digest }),
        ...(app.image?.revision === undefined ? {} : { revision: app.image.revision }),
        how: app.how,
        ...(arrived === null ? {} : { arrived }),
        ...(fix === undefined ? {} : { fix }),
        ...(contained === undefined ? {} : { contained }),
        refusals,
      },
      live: false,
      since,
    },
    run,
  );
  return { ...told, more: { ...more, ...told.more }, app, image, arrived };
}

/** The repository that the workload is deployed from, as far as that is known. */
async function homeOf(workload: Incident["spec"]["workload"], run: Run): Promise<string | undefined> {
  const found = await run.workbench.find(workload).catch(() => null);
  return found === null ? undefined : found.found ? found.bench.source.repository : found.repository;
}

/** The commit with which the image came: the last one that changed it in what is deployed. Never worth failing for. */
async function arrivalOf(container: string, { incident, previous }: ProgramFault, run: Run): Promise<Commit | null> {
  try {
    const versions = await previous(incident.spec.workload);
    const isImage = ({ path }: { path: readonly unknown[] }): boolean => {
      const owner = path.at(-2);
      const name = typeof owner === "object" && owner !== null && "value" in owner ? owner.value : undefined;
      return path.at(-1) === "image" && name === container;
    };
    return versions.find((version) => version.changes.some(isImage))?.commit ?? null;
  } catch (error) {
    run.log.debug("no history", { error: messageOf(error) });
    return null;
  }
}
