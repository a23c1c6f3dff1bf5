import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repositoryOf } from "../../src/gitops/repository-url.ts";

const HOSTS = ["github.com", "ghe.example.com:8443", "127.0.0.1:3000"];

describe("repositoryOf", () => {
  it.each([
    "https://github.com/shop/apps",
    "https://github.com/shop/apps.git",
    "https://github.com/shop/apps/",
    "https://github.com/shop/apps.git/",
    "https://GitHub.com/shop/apps",
    "https://github.com:443/shop/apps.git",
    "https://www.github.com/shop/apps",
    "https://github.com./shop/apps",
    "  https://github.com/shop/apps  ",
    "http://github.com/shop/apps",
    "https://bot:ghp_secret@github.com/shop/apps.git",
    "https://bot:p%40ss@github.com/shop/apps.git",
    "ssh://git@github.com/shop/apps.git",
    "ssh://git@github.com:22/shop/apps.git",
    "ssh://git@ssh.github.com:443/shop/apps.git",
    "git+ssh://git@github.com/shop/apps.git",
    "git@github.com:shop/apps.git",
    "git@GITHUB.com:/shop/apps",
    "github.com:shop/apps",
    "org-12@github.com:shop/apps",
    "https://ghe.example.com:8443/shop/apps",
    "ssh://git@ghe.example.com/shop/apps",
    "git@ghe.example.com:shop/apps.git",
    "http://127.0.0.1:3000/shop/apps.git",
  ])("takes %s", (url) => {
    expect(repositoryOf(url, HOSTS)).toEqual({ repository: "shop/apps" });
  });

  it.each<[unknown, RegExp]>([
    ["https://gitlab.com/shop/apps", /lies on gitlab\.com, and pull requests are opened on github\.com/],
    ["https://github.com.evil.example/shop/apps", /lies on github\.com\.evil\.example/],
    ["https://github.com@evil.example/shop/apps", /lies on evil\.example/],
    ["git@gitlab.com:shop/apps.git", /lies on gitlab\.com/],
    ["https://ghe.example.com/shop/apps", /lies on ghe\.example\.com,/],
    ["https://ghe.example.com:9/shop/apps", /lies on ghe\.example\.com:9,/],
    ["https://127.0.0.1:4000/shop/apps", /lies on 127\.0\.0\.1:4000/],
    ["oci://ghcr.io/shop/apps", /OCI registry \(ghcr\.io\)/],
    ["https://github.com/shop", /not that of one repository/],
    ["https://github.com/shop/apps/tree/main", /not that of one repository/],
    ["https://github.com/shop/..", /not that of one repository/],
    ["https://github.com/shop/a%2fb", /not that of one repository/],
    ["https://github.com//", /not that of one repository/],
    ["file:///srv/git/apps", /names no address/],
    ["/srv/git/apps", /names no address/],
    ["", /names no address/],
    [undefined, /names no address/],
    [{ url: 1 }, /names no address/],
    ["https://git hub.com/shop/apps", /names no address/],
  ])("says why not of %s", (url, reason) => {
    const answer = repositoryOf(url, HOSTS);
    expect("reason" in answer && answer.reason).toMatch(reason);
  });

  it("never shows what is in front of the host, or behind it", () => {
    for (const url of [
      "https://bot:ghp_hunter2@gitlab.com/shop/apps?token=ghp_hunter2#ghp_hunter2",
      "ssh://bot:ghp_hunter2@gitlab.com/ghp_hunter2",
      "bot:ghp_hunter2@gitlab.com:ghp_hunter2/apps",
      "https://ghp_hunter2@github.com/ghp_hunter2",
      "oci://bot:ghp_hunter2@ghcr.io/shop",
      "ghp_hunter2@github.com",
    ])
      expect(JSON.stringify(repositoryOf(url, HOSTS))).not.toContain("ghp_hunter2");
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), fc.webUrl()), (url) => {
        repositoryOf(url, HOSTS);
        repositoryOf(url, []);
      }),
    );
  });
});
