import { StanchError } from "../errors.ts";
import type { Source } from "../model.ts";

/**
 * Argo CD's build environment in a text: `$ARGOCD_APP_NAME`, `${ARGOCD_APP_NAMESPACE}`, with `$$` for a dollar; what is not set is empty.
 * Throws StanchError `render` for a variable that Argo CD sets and that is not known here, such as the commit. `place` names the field.
 */
export function argoExpand(text: string, source: Source, place: string): string {
  if (!text.includes("$")) return text;
  const known: Record<string, string | undefined> = {
    ARGOCD_APP_NAME: source.owner.ref?.name,
    ARGOCD_APP_NAMESPACE: source.namespace,
    ARGOCD_APP_SOURCE_PATH: source.path,
  };
  return text.replace(/\$(?:\{([^}]*)\}|([\w]+)|(\$))/g, (_all, braced?: string, plain?: string, dollar?: string) => {
    if (dollar !== undefined) return "$";
    const name = braced ?? plain ?? "";
    const value = Object.hasOwn(known, name) ? known[name] : undefined;
    if (value !== undefined) return value;
    if (!name.startsWith("ARGOCD_")) return "";
    throw new StanchError("render", `${place} uses $${name}, which Argo CD sets and which is not known here`, {
      hint: "write the value itself, or change this object in Git by hand",
    });
  });
}
