import type { Hosts } from "../../src/compose.ts";
import type { Cluster } from "../../src/ports.ts";
import type { ModelDoor, RunReport } from "../../src/run.ts";
import { type Answer, answers, BEFORE, FILE, FIX } from "./code-answers.ts";
import { said } from "./incident.ts";
import { APPS, IMAGE, loops, REVISION } from "./issues.ts";
import { deployment, makeWorld, TOKEN, virtualClock, type World } from "./world.ts";

const SOURCE = "org.opencontainers.image.source";
export const TRACE = [
  "starting cart",
  "panic: runtime error: index out of range [1] with length 1",
  "goroutine 1 [running]:",
  "main.main()",
  "\t/src/cmd/main.go:6 +0x1b",
  "DB_PASSWORD=hunter2-very-secret",
  "</details> @octocat fixes #1 ![x](http://evil.example/p.png)",
];

export interface Failing extends World {
  /** How often the model was asked. */
  asked(): number;
  answer(next: Answer): void;
  /** The model is behind this from now on, and not an answer of the test's. */
  behind(advisor: ModelDoor["advisor"], save?: ModelDoor["save"]): void;
  cycle(settings?: object, wrap?: (doors: Doors) => Doors): Promise<RunReport>;
  /** The same, of which outcomes are expected. Gives back what was said. */
  expect(kinds: readonly string[], settings?: object): Promise<string>;
}

type Doors = { api: Cluster; hosts: Hosts };

let count = 0;

export const NAMED = { apps: [{ images: ["example.com/cart*"], repository: APPS }] };

/** A program that ends with a stack trace, and the repository that it is built from. */
export async function failing(
  options: {
    readonly files?: Readonly<Record<string, string>>;
    readonly log?: readonly string[];
    readonly others?: readonly string[];
    readonly open?: boolean;
    readonly protectedBranches?: readonly string[];
  } = {},
): Promise<Failing> {
  const files: Record<string, string> = { "apps/app.yaml": deployment({ image: IMAGE }) };
  for (const name of options.others ?? []) files[`apps/${name}.yaml`] = deployment({ name, image: IMAGE });
  const world = await makeWorld(files, virtualClock());
  ship(world, IMAGE, options.log ?? TRACE);
  await world.host.addRepository(APPS, {
    commits: [{ message: "Import", files: { [FILE]: BEFORE, "go.mod": "module cart\n", ...options.files } }],
    public: options.open === true,
    ...(options.protectedBranches === undefined ? {} : { protectedBranches: options.protectedBranches }),
  });
  await world.deploy();
  await loops(world);
  return asking(world);
}

/** A world in which a test says what a model answers. */
export function asking(world: World): Failing {
  count += 1;
  const delimiter = `delimiter-${count}`;
  const mine = { answer: FIX, asked: 0 };
  answers.set(delimiter, mine);
  let model: ModelDoor = {
    advisor: { ask: () => Promise.reject(new Error("not asked")) },
    secrets: [TOKEN],
    draw: () => delimiter,
  };
  const door = (doors: Doors): Doors => ({ ...doors, hosts: { ...doors.hosts, model } });
  const cycle: Failing["cycle"] = (settings = {}, wrap = (doors) => doors) =>
    world.run((doors) => wrap(door(doors)), {
      ...NAMED,
      ...settings,
      github: { apiUrl: world.host.apiUrl, pause: "0s", ...("github" in settings ? (settings.github as object) : {}) },
      model: {
        enabled: true,
        prose: "",
        remedies: [],
        ...modelOf(settings),
        code: { enabled: true, ...codeOf(settings) },
      },
    });
  return {
    ...world,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    asked: () => mine.asked,
    answer: (next) => {
      mine.answer = next;
    },
    behind(advisor, save) {
      model = { ...model, advisor, ...(save === undefined ? {} : { save }) };
    },
    cycle,
    async expect(kinds, settings) {
      const report = await cycle(settings);
      const found = said(report);
      if (JSON.stringify(found) !== JSON.stringify(kinds))
        throw new Error(`${JSON.stringify(found)}: ${report.outcomes.map(({ message }) => message).join("\n")}`);
      return report.outcomes.map(({ message }) => message).join("\n");
    },
  };
}

const modelOf = (settings: object): object => ("model" in settings ? (settings.model as object) : {});
const codeOf = (settings: object): object => {
  const model = modelOf(settings);
  return "code" in model ? (model.code as object) : {};
};

/** An image that is built from the repository, and what it does. */
export function ship(world: World, image: string, log: readonly string[]): void {
  world.cluster.registry.push(image, {
    exit: { code: 2 },
    log: [...log],
    labels: { [SOURCE]: `${world.host.url}/${APPS}`, "org.opencontainers.image.revision": REVISION },
  });
}

export const pulls = (world: World) => world.host.pulls(APPS);
export const code = (world: World, name = "app") =>
  world.incidents().find((incident) => incident.spec.workload.name === name)?.status?.code;
