import { describe, expect, it } from "vitest";
import { formatImage, parseImage, sameRepository, versionOf, withTag } from "../../src/kube/image.ts";

const DIGEST = `sha256:${"a1".repeat(32)}`;

describe("parseImage", () => {
  it.each([
    ["nginx", "docker.io", "library/nginx", undefined],
    ["nginx:1.27", "docker.io", "library/nginx", "1.27"],
    ["docker.io/nginx:1.27", "docker.io", "library/nginx", "1.27"],
    ["index.docker.io/library/nginx", "docker.io", "library/nginx", undefined],
    ["team/app:v1", "docker.io", "team/app", "v1"],
    ["ghcr.io/a/b/c:1", "ghcr.io", "a/b/c", "1"],
    ["127.0.0.1:5000/team/app", "127.0.0.1:5000", "team/app", undefined],
    ["localhost/app:1", "localhost", "app", "1"],
    ["registry:5000/app", "registry:5000", "app", undefined],
    ["[::1]:5000/app:x", "[::1]:5000", "app", "x"],
  ])("reads %s", (text, registry, repository, tag) => {
    const image = parseImage(text);
    expect(image).toMatchObject({ registry, repository });
    expect(image?.tag).toBe(tag);
    expect(image && formatImage(image)).toBe(text);
  });

  it("reads a digest beside a tag, and lets the digest win", () => {
    const image = parseImage(`nginx:1.27@${DIGEST}`);
    expect(image).toMatchObject({ tag: "1.27", digest: DIGEST });
    expect(image && versionOf(image)).toBe(DIGEST);
    expect(image && formatImage(image)).toBe(`nginx:1.27@${DIGEST}`);
  });

  it.each([
    "",
    "nginx:1.2 7",
    "Nginx",
    "a//b",
    "nginx:",
    "nginx@sha256:zz",
    "-x",
    "a/b:tag:tag",
    "ghcr.io/",
    "x".repeat(600),
    "nginx:$(id)",
  ])("refuses %j", (text) => {
    expect(parseImage(text)).toBeNull();
  });
});

describe("withTag", () => {
  it("keeps what was written before the tag and drops the digest", () => {
    const image = parseImage(`docker.io/nginx:1.27@${DIGEST}`);
    expect(image && formatImage(withTag(image, "1.28") ?? image)).toBe("docker.io/nginx:1.28");
    expect(image && withTag(image, "bad tag")).toBeNull();
  });
});

it("knows the same repository however it is written", () => {
  const [a, b, c] = ["nginx:1", "docker.io/library/nginx:2", "ghcr.io/library/nginx:2"].map(parseImage);
  expect(a && b && sameRepository(a, b)).toBe(true);
  expect(a && c && sameRepository(a, c)).toBe(false);
});
