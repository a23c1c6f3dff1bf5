import { hostsOf } from "../config/hosts.ts";
import type { Config } from "../config/schema.ts";
import { matchesGlob } from "../config/scope.ts";
import { messageOf } from "../errors.ts";
import { isOwnRepository } from "../gitops/own-repository.ts";
import { repositoryOf } from "../gitops/repository-url.ts";
import type { ImageOrigin } from "../incident/incident.ts";
import { formatImage, parseImage } from "../kube/image.ts";
import type { KubeObject } from "../model.ts";
import type { RegistryCredentials } from "../ports.ts";
import type { Run } from "../run.ts";

/** On a workload: the repository that its image is built from, `owner/name`. */
export const APP_REPOSITORY = "stanch.dev/app-repository";

const SOURCE = "org.opencontainers.image.source";
const REVISION = "org.opencontainers.image.revision";

export type AppRepository = (
  | { readonly found: true; readonly repository: string; readonly how: string }
  | { readonly found: false; readonly reason: string }
) & {
  /** What the image says of itself, when it was asked. */
  readonly image?: ImageOrigin;
};

export interface AppQuestion {
  readonly object: KubeObject;
  readonly image: string;
  /** What the image said in an earlier run. */
  readonly known: ImageOrigin | undefined;
  /** The repository that the workload is deployed from. */
  readonly home: string | undefined;
  readonly credentials: () => Promise<RegistryCredentials | undefined>;
}

/**
 * The repository that an image is built from. What the configuration says is followed. What the workload's annotation or the image's own label
 * says was written by others: it is followed only to an owner whose repositories are in use here already, and never to where everybody reads.
 */
export async function findAppRepository(question: AppQuestion, run: Run): Promise<AppRepository> {
  const image = await originOf(question, run);
  const place = await placeOf(question, image, run);
  return { ...place, ...(image === undefined || "unknown" in image ? {} : { image }) };
}

async function placeOf(
  { object, image, home }: AppQuestion,
  origin: ImageOrigin | { readonly unknown: string },
  run: Run,
): Promise<AppRepository> {
  const named = object.metadata.annotations?.[APP_REPOSITORY]?.trim() ?? "";
  const said = named === "" ? null : await byAnnotation(named, home, run);
  if (said?.found === true) return said;
  const entry = appEntryFor(image, run.config);
  if (entry !== undefined) return { found: true, repository: entry.repository, how: "`apps` of the configuration" };
  if (said !== null) return said;
  if ("unknown" in origin) return no(`what ${image} is built from is not known: ${origin.unknown}`);
  if (origin.source === undefined)
    return no(`${image} has no label ${SOURCE}, and no entry of \`apps\` names its repository`);
  // A part of a repository is often named by its page: https://github.com/acme/shop/tree/main/cart
  const at = repositoryOf(origin.source.replace(/\/(?:tree|blob)\/.*$/, ""), hostsOf(run.config.github));
  if ("reason" in at) return no(`the label ${SOURCE} of ${image} cannot be followed: ${at.reason}`);
  return followed(at.repository, `the label ${SOURCE} of the image`, home, run);
}

function byAnnotation(named: string, home: string | undefined, run: Run): AppRepository | Promise<AppRepository> {
  if (!/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(named) || named.length > 140)
    return no(`the annotation ${APP_REPOSITORY} is not owner/name`);
  return followed(named, `the annotation ${APP_REPOSITORY} of the workload`, home, run);
}

/** May a repository be written to that somebody else has named? */
async function followed(repository: string, how: string, home: string | undefined, run: Run): Promise<AppRepository> {
  const { sources, apps, issues } = run.config;
  const known = [...sources, ...apps].map((entry) => entry.repository.toLowerCase());
  if (known.includes(repository.toLowerCase())) return { found: true, repository, how };
  const owners = new Set([...known, ...(home === undefined ? [] : [home])].map(ownerOf));
  for (const owner of issues.owners) owners.add(owner.toLowerCase());
  if (!owners.has(ownerOf(repository)))
    return no(
      `${repository}, named by ${how}, has another owner than the sources; name it in \`apps\`, or its owner in \`issues.owners\``,
    );
  try {
    // What deploys the workload may be taken from a repository of somebody else's.
    if (home?.toLowerCase() === repository.toLowerCase() && (await isOwnRepository(repository, run)))
      return { found: true, repository, how };
    return (await run.codeHost.isPublic(repository))
      ? no(`${repository}, named by ${how}, is public; name it in \`apps\` to have it told all the same`)
      : { found: true, repository, how };
  } catch (error) {
    return no(`${repository}, named by ${how}, cannot be looked at: ${messageOf(error)}`);
  }
}

/** What the image says of itself; the registry is asked once for an incident. */
async function originOf(
  { image, known, credentials }: AppQuestion,
  run: Run,
): Promise<ImageOrigin | { unknown: string }> {
  if (known?.reference === image) return known;
  const said = await run.registry.labels(image, await credentials());
  if ("unknown" in said) return said;
  const [source, revision] = [SOURCE, REVISION].map((name) => said.labels[name]?.trim().slice(0, 300));
  return {
    reference: image,
    digest: said.digest,
    ...(source === undefined || source === "" ? {} : { source }),
    ...(revision === undefined || revision === "" ? {} : { revision }),
  };
}

/** What `apps` says of an image: the first entry that matches. */
export function appEntryFor(image: string, { apps }: Pick<Config, "apps">): Config["apps"][number] | undefined {
  const parsed = parseImage(image);
  if (parsed === null) return undefined;
  const names = [formatImage({ name: parsed.name }), `${parsed.registry}/${parsed.repository}`];
  return apps.find((entry) => entry.images.some((glob) => names.some((name) => matchesGlob(glob, name))));
}

const ownerOf = (repository: string): string => (repository.split("/")[0] ?? "").toLowerCase();

const no = (reason: string): AppRepository => ({ found: false, reason });
