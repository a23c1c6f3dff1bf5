/** What a source follows: a branch (absent: the default one), or something that no merge moves. */
export interface Revision {
  readonly branch?: string;
  /** `tag v1.2.3`, `commit 1a2b3c4`, `version >=1.0`. */
  readonly pinned?: string;
}

/**
 * What Argo CD's `targetRevision` means, as far as it can be told without the repository: a branch called `v1` or `1.2.x` looks like a
 * tag or a version and is taken for one, because it is one nearly always. Null: no Git revision at all.
 */
export function revisionOf(text: string): Revision | null {
  if (text === "" || text === "HEAD") return {};
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/s.exec(text) ?? [];
  if (kind === "tags") return isRefName(name) ? { pinned: `tag ${name}` } : null;
  if (kind === "heads") return branchRevision(name);
  if (text.startsWith("refs/")) return isRefName(text) ? { pinned: `reference ${text}` } : null;
  if (/^(?:[\da-f]{7,40}|[\da-f]{64})$/i.test(text)) return { pinned: `commit ${text}` };
  if (/^v?\d+(?:\.\d+){0,2}(?:-[\w.-]+)?(?:\+[\w.-]+)?$/.test(text)) return { pinned: `tag ${text}` };
  // A constraint: signs that no branch may have, or a wildcard in place of a number.
  if (
    /^[\dv<>=!~^*][\w\s.,*|<>=!~^+-]*$/.test(text) &&
    /[\d*]/.test(text) &&
    (/[<>=!~^*]/.test(text) || /^v?\d+(?:\.\d+)?\.x(?:\.x)?$/i.test(text))
  )
    return { pinned: `version ${text.trim().replaceAll(/\s+/g, " ")}` };
  return branchRevision(text);
}

/** Null: no name that a branch can have. */
export function branchRevision(name: string): Revision | null {
  return isRefName(name) ? { branch: name } : null;
}

/** https://git-scm.com/docs/git-check-ref-format; and nothing that a program could take for an option. */
function isRefName(name: string): boolean {
  return (
    name.length <= 250 &&
    /^(?![-/.])[^\s~^:?*[\\]+$/.test(name) &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
    !/[\u0000-\u001f\u007f]|\.\.|@\{|\/\/|\/$|\.$|\.lock$|\/\./.test(name)
  );
}

/** The commit in what an engine reports: `1a2b…`, `main@sha1:1a2b…`, `main/1a2b…`. */
export function commitIn(revision: string | undefined): string | undefined {
  return /(?:^|[:/])([\da-f]{64}|[\da-f]{40})$/.exec(revision ?? "")?.[1];
}
