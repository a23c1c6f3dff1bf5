import type { Guard } from "./guard.ts";

export const openPullRequests: Guard = {
  id: "open-pull-requests",
  summary: "Not more open pull requests in a repository than people can review.",
  check(_plan, context) {
    const { openPullRequests, newPullRequests } = context.settings.guard;
    if (context.open >= openPullRequests)
      return {
        decision: "refuse",
        rule: "open-pull-requests",
        reason: `${context.open} pull requests of Stanch are open already (guard.openPullRequests)`,
      };
    return context.opened < newPullRequests
      ? null
      : {
          decision: "refuse",
          rule: "open-pull-requests",
          reason: `${context.opened} pull requests were opened in this run (guard.newPullRequests)`,
        };
  },
};
