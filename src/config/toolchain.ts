/** Folders that no program under test may see, with everything in them. */
const CLOSED = ["/boot", "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var", "/check"];
/** Folders of folders: what is in them may be meant, they as a whole are not. */
const WIDE = ["/", "/home", "/lost+found", "/media", "/mnt", "/srv"];
/** Names that credentials go by, wherever they stand. */
const CREDENTIALS =
  /^(\.ssh|\.kube|\.aws|\.azure|\.gcloud|\.config|\.docker|\.gnupg|\.netrc|\.npmrc|\.pypirc|\.git-credentials|\.vault-token|secrets?|credentials?|kubernetes\.io)$/i;

/** Is `folder` the same as `other`, or in it? Both are absolute and plain. */
export const isWithin = (folder: string, other: string): boolean =>
  folder === other || folder.startsWith(other === "/" ? "/" : `${other}/`);

export const isCredentialName = (name: string): boolean => CREDENTIALS.test(name);

/** Why a folder cannot be shown to a program under test, by its path alone, for "… `/opt/go` …"; null: it may. */
export function toolchainFault(folder: string): string | null {
  if (!/^\/[^\p{Cc}:]*$/u.test(folder)) return "is no absolute path, or has a colon in it";
  const parts = folder.split("/").slice(1);
  if (folder !== "/" && parts.some((part) => part === "" || part === "." || part === ".."))
    return "is not written plainly: without `..`, `//` and a slash at the end";
  if (WIDE.includes(folder) || /^\/home\/[^/]+$/.test(folder)) return "is too wide: name the toolchain's own folder";
  const closed = CLOSED.find((path) => isWithin(folder, path));
  if (closed !== undefined) return `lies in ${closed}, which no program under test may see`;
  const named = parts.find(isCredentialName);
  return named === undefined ? null : `has the name of credentials in it (${named})`;
}
