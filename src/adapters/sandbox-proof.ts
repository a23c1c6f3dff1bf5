import { readFile, readlink } from "node:fs/promises";

/** What is asked inside, before anything else is ever run there. Any shell answers it. */
export const QUESTIONS = [
  "/bin/sh",
  "-c",
  "cat /proc/self/status /proc/net/dev && for of in user pid net ipc uts mnt; do readlink /proc/self/ns/$of; done",
];

/** Is it a sandbox? A sentence without a full stop on what is open all the same; null: nothing of what was asked. */
export async function proofFault(answers: string): Promise<string | null> {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)$`, "m").exec(answers)?.[1];
  const interfaces = [...answers.matchAll(/^ *([^\s:|]+): *\d+ +\d+ +\d+/gm)].map(([, name]) => name);
  if (interfaces.join() !== "lo") return "the sandbox has a network, so that nothing is run in it";
  for (const kind of ["user", "pid", "net", "ipc", "uts", "mnt"]) {
    const here = await readlink(`/proc/self/ns/${kind}`);
    const inside = new RegExp(`^${kind}:\\[\\d+\\]$`, "m").exec(answers)?.[0];
    if (inside === undefined || inside === here)
      return `the sandbox shares the ${kind} namespace of Stanch, so that nothing is run in it`;
  }
  if (!/^0+$/.test(field("CapEff") ?? "") || !/^0+$/.test(field("CapBnd") ?? ""))
    return "the sandbox has capabilities, so that nothing is run in it";
  if (field("NoNewPrivs") !== "1" || field("Seccomp") !== "2")
    return "the sandbox may gain privileges or make every system call, so that nothing is run in it";
  return null;
}

/** What bwrap's complaint means, as a sentence without a full stop on what a person can do. */
export async function refusal(errors: string): Promise<string> {
  const words = errors.replaceAll(/\s+/g, " ").slice(0, 300) || "it says nothing";
  const said = `(${words})`;
  if (/mount proc/i.test(errors))
    return `bwrap may not mount a /proc of its own: in a pod that needs hostUsers: false and procMount: Unmasked ${said}`;
  if (/namespace|uid map|gid map|RTM_NEWADDR|unshare|clone/i.test(errors)) {
    const on = (path: string) =>
      readFile(path, "utf8").then(
        (text) => text.trim(),
        () => undefined,
      );
    if ((await on("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")) === "1")
      return `AppArmor forbids bwrap a user namespace: give bwrap a profile with userns, or set kernel.apparmor_restrict_unprivileged_userns=0 ${said}`;
    if ((await on("/proc/sys/user/max_user_namespaces")) === "0")
      return `this machine allows no user namespaces: set user.max_user_namespaces ${said}`;
    return `bwrap may not make a user namespace here: a pod's seccomp profile (RuntimeDefault) forbids it, see docs/image.md ${said}`;
  }
  if (/unknown option/i.test(errors)) return `bubblewrap is too old: 0.8 or later is needed ${said}`;
  return `bwrap could not make a sandbox ${said}`;
}
