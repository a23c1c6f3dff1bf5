import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createTwoFilesPatch } from "diff";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { Config } from "../../src/config/schema.ts";
import { guardContext, remedyContext } from "../../src/context.ts";
import { createIncidentStore } from "../../src/incident/store.ts";
import { formatPath } from "../../src/kube/field-path.ts";
import { describeRef } from "../../src/kube/ref.ts";
import { createMeter } from "../../src/metrics/meter.ts";
import type { Diagnosis, Finding, KubeObject, Plan } from "../../src/model.ts";
import type { CodeHost, Log, ReviewHost } from "../../src/ports.ts";
import type { Run } from "../../src/run.ts";
import { cutOffs } from "../../src/steps/cut-off.ts";
import { detect } from "../../src/steps/detect.ts";
import { diagnose } from "../../src/steps/diagnose.ts";
import { gather } from "../../src/steps/gather.ts";
import { group } from "../../src/steps/group.ts";
import { guard } from "../../src/steps/guard.ts";
import { inspect } from "../../src/steps/inspect.ts";
import { listen } from "../../src/steps/listen.ts";
import { locate } from "../../src/steps/locate.ts";
import { type Observation, observe } from "../../src/steps/observe.ts";
import { plan as draft } from "../../src/steps/plan.ts";
import { prove } from "../../src/steps/prove.ts";
import { treat } from "../../src/treat.ts";
import { createWorkbench } from "../../src/workbench.ts";
import { type Files, makeRepository, type Repository, renderer } from "../gitops/repository.ts";
import { changed, freeze } from "./frozen-cluster.ts";

export const ROOT = resolve(import.meta.dirname);

/** `scenario.yaml`, where the defaults do not do. */
const Settings = z.strictObject({
  now: z.string().default("2026-01-01T01:30:00Z"),
  /** Tags that the registry has, by repository; absent: it cannot be asked. */
  images: z.record(z.string(), z.array(z.string())).optional(),
  /** What the program answers: a status by path, or `refused` by `:port`. */
  answers: z.record(z.string(), z.union([z.number(), z.literal("refused")])).default({}),
  /** What the API server refuses by dry run: objects whose JSON holds `where`. */
  refuses: z.array(z.strictObject({ where: z.string(), message: z.string() })).default([]),
  /** Subject of the commit from `before/` to `repository/`. */
  subject: z.string().default("Change"),
  config: z.record(z.string(), z.unknown()).default({}),
});

export interface Scenario {
  readonly name: string;
  readonly folder: string;
  readonly settings: z.output<typeof Settings>;
}

/** Every `test/scenarios/<detector-or-remedy>/<case>/`. */
export function scenarios(): Scenario[] {
  return folders(ROOT).flatMap((subject) =>
    folders(join(ROOT, subject)).map((name) => {
      const folder = join(ROOT, subject, name);
      const file = join(folder, "scenario.yaml");
      return {
        name: `${subject}/${name}`,
        folder,
        settings: Settings.parse(existsSync(file) ? parse(readFileSync(file, "utf8")) : {}),
      };
    }),
  );
}

export function objectsOf(file: string): KubeObject[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as KubeObject;
  });
}

/** Everything that detection says of a cluster, ripe or not. */
export async function findingsIn(objects: readonly KubeObject[], { settings }: Scenario): Promise<Finding[]> {
  const config = configOf(settings);
  const { snapshot } = await observe(freeze(objects), config, clockAt(settings.now));
  return detect(snapshot, config.detect);
}

/** The whole way from the cluster's state to what would be proposed, without a write: what `golden.json` keeps. */
export async function play(scenario: Scenario): Promise<object> {
  const { folder, settings } = scenario;
  const objects = objectsOf(join(folder, "cluster.yaml"));
  const repository = repositoryOf(folder, settings.subject);
  try {
    const run = runOf(scenario, objects, repository);
    const observed = await observe(run.cluster, run.config, run.clock);
    const refused = await inspect(run, observed);
    const [complaints, cuts] = [await listen(run, observed), await cutOffs(run, observed)];
    const seen = { ...observed, snapshot: { ...observed.snapshot, refused, complaints, cutOffs: cuts } };
    const findings = detect(seen.snapshot, run.config.detect);
    const ripe = findings.filter((finding) => finding.unripe === undefined);
    run.tally.ripe = ripe.length;
    const diagnoses: Diagnosis[] = [];
    for (const finding of ripe) {
      const gathered = await gather(finding, seen.snapshot, run.reading);
      diagnoses.push(await diagnose(gathered, await remedyContext(gathered, seen, run, undefined)));
    }
    const causes = [];
    for (const { primary, covers } of group(diagnoses))
      causes.push({
        covers: covers.map((finding) => describeRef(finding.workload)),
        ...(await answerTo(primary, objects, seen, run, repository)),
        outcome: (await treat(primary, covers, seen, run, undefined)).message,
      });
    return stable({ findings: findings.map(briefly), causes, gaps: seen.snapshot.gaps }, repository);
  } finally {
    await repository.close();
  }
}

/** plan → guard → locate → prove for the first remedy that no guard refuses. */
async function answerTo(
  diagnosis: Diagnosis,
  objects: readonly KubeObject[],
  seen: Observation,
  run: Run,
  repository: Repository,
): Promise<object> {
  const { finding, choices, rejected } = diagnosis;
  const told = { cause: diagnosis.cause, choices: choices.map((choice) => choice.remedy) };
  const refused: object[] = [...rejected];
  for (const choice of choices) {
    const planned = await draft(diagnosis, choice, await remedyContext(finding, seen, run, undefined));
    if ("refused" in planned) {
      refused.push({ remedy: choice.remedy, reason: planned.refused });
      continue;
    }
    const verdict = guard(planned, await guardContext(planned, seen, run, null));
    if (verdict.decision === "refuse") {
      refused.push({ remedy: choice.remedy, ...verdict });
      continue;
    }
    return {
      ...told,
      remedy: choice.remedy,
      title: planned.title,
      risk: planned.risk,
      changes: planned.changes.map(({ object, path, ...values }) => ({
        object: describeRef(object),
        path: formatPath(path),
        ...values,
      })),
      ...(planned.action === undefined ? {} : { action: planned.action }),
      ...(planned.gitOnly === undefined ? {} : { gitOnly: planned.gitOnly }),
      verdict,
      ...(planned.contains === undefined ? {} : { contains: true }),
      git:
        planned.contains === undefined
          ? await inGit(planned, objects, verdict.decision === "live" && planned.gitOnly === undefined, run, repository)
          : null,
    };
  }
  return { ...told, refused };
}

async function inGit(
  planned: Plan,
  objects: readonly KubeObject[],
  live: boolean,
  run: Run,
  checkout: Repository,
): Promise<object | null> {
  const [first] = planned.changes;
  if (first === undefined) return null;
  // An object that a commit took out is in no source any more.
  const removed = first.path.length === 0 ? await run.workbench.removed(first.object) : null;
  const found = removed === null ? await run.workbench.find(first.object) : { found: true as const, ...removed };
  if (!found.found) return { reason: found.reason };
  const { source } = found.bench;
  const request = { changes: planned.changes, source, checkout, renderer };
  const revertOf = planned.choice.culprit?.sha;
  const located = await locate({ ...request, hints: revertOf === undefined ? {} : { revertOf } });
  if (!located.found) return { reason: located.reason, hint: located.hint };
  const proof = await prove({
    ...request,
    located,
    cluster: freeze(live ? changed(objects, planned.changes) : objects),
    ...(revertOf === undefined ? {} : { revertOf }),
    ...(live ? { live: true } : {}),
    ...(planned.gitOnly === undefined ? {} : { gitOnly: planned.gitOnly }),
  });
  return {
    locations: located.locations.map((location) => `${location.file}:${location.line} (${location.via})`),
    diff: located.edits.flatMap((edit) =>
      createTwoFilesPatch(edit.file, edit.file, edit.before, edit.after, "", "", { context: 1 })
        .split("\n")
        .filter((line) => !/^(===|---|\+\+\+|$)/.test(line)),
    ),
    proof: proof.checks.map((check) => `${check.id} ${check.result}`),
    complete: proof.complete,
  };
}

function runOf({ settings }: Scenario, objects: readonly KubeObject[], repository: Repository): Run {
  const config = configOf(settings);
  const clock = clockAt(settings.now);
  const cluster = freeze(objects, settings.answers, settings.refuses);
  const codeHost = {
    check: async () => ({ login: "stanch[bot]", push: true, defaultBranch: "main", archived: false }),
    openPullRequests: async () => [],
  } as Partial<CodeHost> as CodeHost & ReviewHost;
  const quiet = (): void => undefined;
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, progress: quiet };
  const repositories = {
    open: async () => ({ ...repository, revision: repository.revision, close: async () => undefined }),
  };
  return {
    config,
    cluster,
    codeHost,
    renderer,
    registry: {
      async exists(image) {
        const tags = settings.images?.[image.replace(/:[^/]*$/, "")];
        if (settings.images === undefined) return { state: "unknown", reason: "it cannot be asked" };
        return { state: tags?.includes(image.split(":").at(-1) ?? "") === true ? "present" : "absent" };
      },
      tags: async (image) => settings.images?.[image.replace(/:[^/]*$/, "")] ?? null,
      labels: async () => ({ unknown: "it cannot be asked" }),
    },
    clock,
    log,
    store: createIncidentStore(cluster, clock),
    workbench: createWorkbench(config, { repositories, codeHost, renderer }),
    reading: {
      cluster,
      config,
      clock,
      gaps: [],
      watched: () => true,
      pages: (resource) => cluster.list(resource),
    },
    dryRun: true,
    version: "0.0.0",
    tally: { ripe: 0, hotfixes: 0, opened: 0 },
    meter: createMeter(clock),
    id: "scenario",
    renew: async () => undefined,
    startedAt: clock.now().getTime(),
  };
}

function configOf(settings: Scenario["settings"]): Config {
  return Config.parse({
    mode: "remediate",
    cluster: "test",
    sources: [{ repository: "acme/shop", path: "apps", namespaces: ["shop"] }],
    ...settings.config,
  });
}

/** It stands still, but for those who sleep. */
function clockAt(text: string) {
  let time = Date.parse(text);
  return {
    now: () => new Date(time),
    async sleep(ms: number) {
      time += ms;
    },
  };
}

/** `before/` is committed first, where there is one; `repository/` is the head. */
function repositoryOf(folder: string, subject: string): Repository {
  const head = filesIn(join(folder, "repository"));
  const before = join(folder, "before");
  if (!existsSync(before)) return makeRepository(head);
  const earlier = filesIn(before);
  const repository = makeRepository(earlier);
  const gone = Object.keys(earlier).filter((file) => head[file] === undefined);
  repository.commit(subject, { ...head, ...Object.fromEntries(gone.map((file) => [file, null])) });
  return repository;
}

function filesIn(folder: string): Files {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => statSync(join(folder, file)).isFile())
      .map((file) => [relative(".", file), readFileSync(join(folder, file), "utf8")]),
  );
}

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

function briefly(finding: Finding): object {
  const { detector, workload, container, symptom, summary, since, pods, unripe } = finding;
  return {
    detector,
    workload: describeRef(workload),
    ...(container === undefined ? {} : { container }),
    symptom: symptom.kind,
    summary,
    since,
    pods,
    ...(unripe === undefined ? {} : { unripe }),
  };
}

/** Commit ids are those of this run's repository: the golden names the commit. */
function stable(result: object, repository: Repository): object {
  const head = repository.revision;
  const text = JSON.stringify(result).replaceAll(head, "<head>").replaceAll(head.slice(0, 7), "<head>");
  return JSON.parse(text) as object;
}
