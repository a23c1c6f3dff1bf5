import type { ParseArgsOptionsConfig } from "node:util";

export const OPTIONS = {
  config: { type: "string", short: "c" },
  namespace: { type: "string", short: "n", multiple: true },
  "all-namespaces": { type: "boolean", short: "A" },
  selector: { type: "string", short: "l" },
  context: { type: "string" },
  kubeconfig: { type: "string" },
  output: { type: "string", short: "o" },
  "dry-run": { type: "boolean" },
  "log-level": { type: "string" },
  keep: { type: "boolean" },
  replay: { type: "string" },
  account: { type: "string" },
  part: { type: "string" },
  strict: { type: "boolean" },
  scheduled: { type: "boolean" },
  root: { type: "string", multiple: true },
  mode: { type: "string" },
  "fail-on": { type: "string" },
  wait: { type: "string" },
  publish: { type: "boolean" },
  test: { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

/** The flags as they were given, with what the process knows of its surroundings. */
export interface Flags {
  readonly config?: string | undefined;
  readonly namespace?: string[] | undefined;
  readonly "all-namespaces"?: boolean | undefined;
  readonly selector?: string | undefined;
  readonly context?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly output?: string | undefined;
  readonly "dry-run"?: boolean | undefined;
  readonly "log-level"?: string | undefined;
  readonly replay?: string | undefined;
  readonly keep?: boolean | undefined;
  /** `rbac`: first part of the accounts' names; `stanch` when absent. */
  readonly account?: string | undefined;
  /** `rbac`: reader or writer; both when absent. */
  readonly part?: string | undefined;
  /** `doctor`: rights that nothing needs are a failure. */
  readonly strict?: boolean | undefined;
  /** `run`: nobody waits for the exit code but a scheduler. */
  readonly scheduled?: boolean | undefined;
  readonly root?: string[] | undefined;
  readonly mode?: string | undefined;
  readonly "fail-on"?: string | undefined;
  readonly wait?: string | undefined;
  readonly publish?: boolean | undefined;
  /** Name of the receiver that `stanch notify` tries. */
  readonly test?: string | undefined;
  /** The process's environment: tokens come from here and from nowhere else. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard error is a terminal. */
  readonly interactive: boolean;
}

const FLAGS = `Flags:
  -c, --config FILE       configuration (default: stanch.yaml here, or $STANCH_CONFIG, when there is one)
  -n, --namespace NAME    watch this namespace only (may be repeated; globs)
  -A, --all-namespaces    watch all namespaces, whatever the configuration's scope says
  -l, --selector QUERY    watch workloads with these labels only
      --context NAME      kubeconfig context
      --kubeconfig FILE   kubeconfig file (default: $KUBECONFIG, ~/.kube/config, or the pod's service account)
  -o, --output FORMAT     table (default) or json; drift: text (default), json, markdown or sarif
      --dry-run           say what would be done; live changes are tried by server-side dry run, nothing is opened
      --log-level LEVEL   debug, info (default), warn or error
  -h, --help              this text, or a command's
      --version           the version
`;

const EXIT = `Exit codes:
  0  done; nothing needs a person
  1  a fault: the cluster, Git or GitHub failed, or a finding could not be handled
  2  the configuration or the flags are wrong
  3  done, and something needs a person (scan: there are findings; drift: something drifted; doctor: a check failed)
  4  another run is at work
`;

const COMMANDS: Record<string, string> = {
  run: "stanch run [--scheduled]\n\nOne cycle, as the CronJob runs it: finds failing workloads, and by mode (observe, propose, remediate) reports, opens\npull requests, or hotfixes live, verifies and opens pull requests; then follows up open incidents. With --scheduled the exit\ncode is 0 also where a person is needed or another run is at work: neither is a fault of the Job.\n",
  scan: "stanch scan\n\nReads the cluster and shows what fails, by rules. Changes nothing and needs no custom resource.\n",
  drift:
    "stanch drift [--root NAME] [--mode auto|server|client] [--fail-on drift|error|never] [--wait 30s] [--publish] [-o text|json|markdown|sarif]\n\nIs the cluster what Git says? Renders every source as it was deployed and as its branch is now, and compares both with the\ncluster. Reads only. --root: a path, repository or owner (may be repeated).\n--publish: tells the repositories by check runs and issues, as `drift.publish` lets runs do; 1 when one cannot be told.\nExit codes: 0 clean, 3 something drifted,\n1 something could not be compared; with --fail-on error drift is 0, with never everything is.\n",
  incidents: "stanch incidents [NAME]\n\nLists incidents, or shows one with its timeline (NAME or NAMESPACE/NAME).\n",
  undo: "stanch undo NAME\n\nTakes the live change of an incident back (NAME with -n, or NAMESPACE/NAME).\n",
  explain:
    "stanch explain NAME [--replay FILE]\n\nWhat rules and the model said of an incident. --replay goes through a recorded exchange (model.record) again: the same\nchecks, no call and no write; without NAME offline, with it against the cluster and Git as they are now.\n",
  doctor:
    "stanch doctor [--strict]\n\nChecks what a run needs: cluster, rights by remedy, CustomResourceDefinition, repositories and token, renderers.\nEvery failed line says the fix. Dangerous rights that nothing needs are told, too; with --strict (or `rights.excess: refuse`\nin the configuration) they are a failure.\n",
  rbac: "stanch rbac [--part reader|writer] [--account NAME]\n\nPrints the service accounts and exactly the rights that the configuration needs, as YAML for kubectl apply: NAME-reader\n(default: stanch-reader) observes, proposes and keeps the books; NAME-writer, only there in mode remediate, may change things\nlive as well. Makes no call.\n",
  notify:
    "stanch notify --test RECEIVER\n\nSends a test message to one of `notify.receivers`. Nothing is read from the cluster, and nothing is written down.\n",
  metrics:
    "stanch metrics\n\nPrints the metrics of this installation in Prometheus' text format, from what the cluster keeps: incidents, the last run and\nthe totals of all runs. For people, and for the textfile collector of a node exporter. Changes nothing.\n",
  demo: "stanch demo [--keep]\n\nThree incidents, from failing to resolved, on an embedded cluster and code host. Needs Node and git only.\n",
};

export const HELP = `stanch: stops the bleeding live, heals it in Git

Usage: stanch COMMAND [flags]

Commands:
  run         one cycle: find, hotfix, verify, open the pull request, follow up
  scan        show what fails; changes nothing
  drift       is the cluster what Git says? changes nothing
  incidents   list incidents, or show one with its timeline
  undo        take the live change of an incident back
  explain     what rules and the model said of an incident, or of a recorded exchange
  doctor      check what a run needs, and say how to fix it
  rbac        print the service accounts and exactly the rights that the configuration needs
  metrics     print the metrics, in Prometheus' text format
  notify      send a test message to a receiver (--test RECEIVER)
  demo        see it work, without a cluster

${FLAGS}
${EXIT}
The GitHub token comes from $GITHUB_TOKEN (or a GitHub App's key from $STANCH_GITHUB_APP_KEY), a model's key from $ANTHROPIC_API_KEY.
`;

/** The help of one command. */
export function helpOf(command: string): string {
  const text = COMMANDS[command];
  return text === undefined ? HELP : `${text}\n${FLAGS}\n${EXIT}`;
}
