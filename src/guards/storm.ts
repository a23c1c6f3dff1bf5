import type { Guard } from "./guard.ts";

export const storm: Guard = {
  id: "storm",
  summary: "Many findings at once have a cause that no single change heals: nothing is changed, and a person is told.",
  check(_plan, context) {
    const { storm } = context.settings.guard;
    return context.ripe <= storm
      ? null
      : {
          decision: "refuse",
          rule: "storm",
          reason: `${context.ripe} findings at once (guard.storm is ${storm}): this looks like a shared cause such as a node, a registry or a dependency`,
        };
  },
};
