import { expect, it } from "vitest";
import { withoutObjects } from "../../src/kube/refusal-text.ts";

it.each([
  [
    'spec.template: Invalid value: {"Env":[{"Name":"DB_PASSWORD","Value":"hun}ter\\"2"}]}: field is immutable',
    "spec.template: Invalid value: …: field is immutable",
  ],
  [
    'spec: Invalid value: core.PodSpec{Env:[]core.EnvVar{core.EnvVar{Value:"hunter2"}}}: field is immutable',
    "spec: Invalid value: …: field is immutable",
  ],
  [
    'Deployment "d" is invalid: [a: Invalid value: {"app":"d"}: does not match, b: Invalid value: []string{"x", "y"}: no, c: Required value]',
    'Deployment "d" is invalid: [a: Invalid value: …: does not match, b: Invalid value: …: no, c: Required value]',
  ],
  ['a: Invalid value: map[string]string{"a":"hunter2"}: no', "a: Invalid value: …: no"],
  ['a: Invalid value: {"a":"hunter2', "a: Invalid value: …"],
  [
    "ports[0]: Invalid value: 70000: must be between 1 and 65535",
    "ports[0]: Invalid value: 70000: must be between 1 and 65535",
  ],
  [
    'spec.type: Unsupported value: "x": supported values: "y"',
    'spec.type: Unsupported value: "x": supported values: "y"',
  ],
])("%s", (text, told) => {
  expect(withoutObjects(text)).toBe(told);
});

it("takes no longer for what never closes", () => {
  const text = `Invalid value: ${"{[".repeat(200_000)}`;
  expect(withoutObjects(text)).toBe("Invalid value: …");
}, 2000);
