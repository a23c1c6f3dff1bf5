import { describe, expect, it } from "vitest";
import { generatedChange } from "../../src/gitops/application-set.ts";
import type { Change, Json, KubeObject } from "../../src/model.ts";

const SET = { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", namespace: "argocd", name: "carts" };
const APP = { ...SET, kind: "Application", name: "cart-prod" };
const PATH = ["spec", "source", "helm", "valuesObject", "tag"];
const change = (from: Json = "1.72"): Change => ({ object: APP, path: PATH, from, to: "1.27" });
const application = { apiVersion: APP.apiVersion, kind: APP.kind, metadata: { name: APP.name, namespace: "argocd" } };
const set = (
  tag: string,
  generators: unknown = [
    {
      list: {
        elements: [
          { env: "dev", tag: "1.0" },
          { env: "prod", tag: "1.72" },
        ],
      },
    },
  ],
  name = "cart-{{env}}",
): KubeObject => ({
  apiVersion: SET.apiVersion,
  kind: SET.kind,
  metadata: { name: SET.name },
  spec: { generators, template: { metadata: { name }, spec: { source: { helm: { valuesObject: { tag } } } } } },
});

const spec = set("{{tag}}")["spec"] as { readonly template: { readonly metadata: object; readonly spec: object } };
const withSpec = (more: object): KubeObject => ({ ...set("{{tag}}"), spec: { ...spec, ...more } });
const withTemplate = ({ metadata = {}, spec: more = {} }: { metadata?: object; spec?: object }): KubeObject =>
  withSpec({
    template: {
      metadata: { ...spec.template.metadata, ...metadata },
      spec: { ...spec.template.spec, sources: [more] },
    },
  });

describe("a change of a generated Application", () => {
  it("is one of the template where that says the value outright, for every Application of the set", () => {
    const made = generatedChange(change(), application, set("1.72"), SET);
    expect(made).toEqual({ change: { ...change(), object: SET, path: ["spec", "template", ...PATH] }, shared: true });
  });

  for (const tag of ["{{tag}}", "{{ .tag }}", "{{.tag}}"])
    it(`is one of the list's element that makes it where ${tag} is filled in`, () => {
      const made = generatedChange(change(), application, set(tag), SET);
      expect(made?.shared).toBe(false);
      expect(made?.change.path).toEqual(["spec", "generators", 0, "list", "elements", 1, "tag"]);
    });

  for (const [what, given] of [
    ["another value", set("{{tag}}", [{ list: { elements: [{ env: "prod", tag: "2.0" }] } }])],
    [
      "two elements of one name",
      set("{{tag}}", [
        {
          list: {
            elements: [
              { env: "prod", tag: "1.72" },
              { env: "prod", tag: "1.72" },
            ],
          },
        },
      ]),
    ],
    ["no element", set("{{tag}}", [{ list: { elements: [] } }])],
    ["a generator of another kind", set("{{tag}}", [{ git: { files: [{ path: "*.json" }] } }])],
    [
      "a combination",
      set("{{tag}}", [{ matrix: { generators: [{ list: { elements: [{ env: "prod", tag: "1.72" }] } }] } }]),
    ],
    ["more than one value in a text", set("v{{tag}}-{{env}}")],
    ["a function", set("{{ .tag | quote }}")],
    ["a name that another function makes", set("{{tag}}", undefined, "cart-{{ env | lower }}")],
    ["the value in a second place", withTemplate({ spec: { source: { targetRevision: "{{ .tag }}" } } })],
    ["all values at once", withTemplate({ metadata: { annotations: { all: "{{ toJson . }}" } } })],
    ["a patch of the template", withSpec({ templatePatch: "spec: {}" })],
    ["lists that are none", set("{{tag}}", "oops")],
  ] as const)
    it(`is left to a person with ${what}`, () => {
      expect(generatedChange(change(), application, given, SET)).toBeNull();
    });
});
