import type { Launch, Program } from "../../src/demo/cluster/programs.ts";
import { createImageRegistry } from "../../src/demo/cluster/registry.ts";

/** agnhost as far as the suite uses it: `netexec` serves HTTP, `pause` waits. */
function agnhost({ args }: Launch): Program {
  const flag = (name: string): string | undefined => {
    const joined = args.find((arg) => arg.startsWith(`--${name}=`));
    return joined?.slice(name.length + 3) ?? args[args.indexOf(`--${name}`) + 1];
  };
  if (args[0] !== "netexec") return {};
  const port = Number(flag("http-port") ?? 8080);
  return { ports: [port], paths: ["/", "/healthz"], stopCode: 0, log: [`Started HTTP server on port ${port}`] };
}

/** Commands that are run beside the program: `echo`, and a shell's. */
function inBusybox([name = "", ...words]: readonly string[]): { code: number; output: string } {
  if (name === "echo") return { code: 0, output: `${words.join(" ")}\n` };
  if (name === "true") return { code: 0, output: "" };
  if (name !== "sh") return { code: 126, output: "" };
  const script = words.join(" ");
  const said = /echo ([^;]+)/.exec(script)?.[1];
  return { code: Number(/exit (\d+)/.exec(script)?.[1] ?? 0), output: said === undefined ? "" : `${said}\n` };
}

/** A shell that knows `echo`, `exit` and `sleep`, which is all the suite asks of busybox. */
function busybox({ command, args }: Launch): Program {
  const [first = "sh"] = command;
  if (first.startsWith("/")) return { startError: `exec: "${first}": stat ${first}: no such file or directory` };
  const script = [...command, ...args].join(" ");
  const log = [...script.matchAll(/echo ([^;]+)/g)].map((found) => (found[1] ?? "").trim());
  const exit = /exit (\d+)/.exec(script);
  return { log, exec: inBusybox, ...(exit === null ? { stopCode: 137 } : { exit: { code: Number(exit[1]) } }) };
}

/** Python that holds so many megabytes. */
function python({ command }: Launch): Program {
  const megabytes = /bytearray\((\d+) \* 1024 \* 1024\)/.exec(command.join(" "))?.[1];
  return { memory: Number(megabytes ?? 10) * 2 ** 20 };
}

export const NGINX = "nginx:1.27";
export const PYTHON = "python:3.12-slim";
export const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53";
export const BUSYBOX = "busybox:1.36";

/** The images of the real cluster, for the embedded one. */
export function conformanceRegistry() {
  return createImageRegistry({
    [AGNHOST]: agnhost,
    [BUSYBOX]: busybox,
    [PYTHON]: python,
    [NGINX]: { ports: [80], paths: ["/"] },
  });
}
