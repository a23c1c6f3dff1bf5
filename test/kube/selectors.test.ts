import { describe, expect, it } from "vitest";
import { matchesLabels, matchesRequirements, matchesSelector, parseSelector } from "../../src/kube/selectors.ts";

const LABELS = { app: "web", tier: "front", size: "5", "a.io/x": "y" };

describe("matchesSelector", () => {
  it.each([
    [{}, true],
    [{ matchLabels: { app: "web" } }, true],
    [{ matchLabels: { app: "web", tier: "back" } }, false],
    [{ matchExpressions: [{ key: "app", operator: "In", values: ["a", "web"] }] }, true],
    [{ matchExpressions: [{ key: "old", operator: "NotIn", values: ["yes"] }] }, true],
    [{ matchExpressions: [{ key: "old", operator: "Exists" }] }, false],
    [{ matchExpressions: [{ key: "old", operator: "DoesNotExist" }] }, true],
    [{ matchExpressions: [{ key: "app", operator: "Like", values: ["w*"] }] }, false],
    [undefined, false],
    [null, false],
  ])("%j → %s", (selector, expected) => expect(matchesSelector(selector, LABELS)).toBe(expected));

  it("does not take inherited names for labels", () => {
    expect(matchesSelector({ matchExpressions: [{ key: "constructor", operator: "Exists" }] }, {})).toBe(false);
    expect(matchesLabels({ app: "web" }, undefined)).toBe(false);
  });
});

describe("parseSelector", () => {
  it.each([
    ["", true],
    ["app=web", true],
    ["app==web,tier!=back", true],
    ["app in (a, web),!old", true],
    ["app notin (web)", false],
    ["old", false],
    ["a.io/x=y", true],
    ["size>3", true],
    ["size<3", false],
    ["old!=yes", true],
    ["app=", false],
  ])("%j matches: %s", (text, expected) => {
    const parsed = parseSelector(text);
    expect(parsed.ok && matchesRequirements(parsed.requirements, LABELS)).toBe(expected);
  });

  it.each(["app=web,", "a b", "app in web", "=x", "app in (a", "app=a=b", "$(id)"])(
    "refuses %j with a sentence",
    (text) => {
      const parsed = parseSelector(text);
      expect(parsed.ok).toBe(false);
      expect(parsed.ok ? "" : parsed.reason).toContain("is no label requirement");
    },
  );
});
