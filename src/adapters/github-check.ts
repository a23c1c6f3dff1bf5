import { StanchError } from "../errors.ts";
import type { CheckAnnotation, CheckRun, CheckRunRequest, ReviewHost } from "../ports.ts";
import type { GitHubCall, GitHubClient } from "./github-client.ts";
import { statusOf } from "./github-fault.ts";
import { cutTo } from "./github-text.ts";

/** GitHub takes that many annotations in one request, and appends those of the next. */
const PAGE = 50;
/** Letters of a summary and of a text. */
const MOST = 65_535;
/** Pages of a commit's check runs of one name that are looked through. */
const MOST_PAGES = 5;

/** A check run as GitHub sends it. */
interface CheckData {
  readonly id: number;
  readonly name: string;
  readonly head_sha: string;
  readonly external_id: string | null;
  readonly html_url: string | null;
  readonly url: string;
  readonly status: string;
  readonly conclusion: string | null;
  readonly completed_at: string | null;
  readonly output: {
    readonly title: string | null;
    readonly summary: string | null;
    readonly text: string | null;
    readonly annotations_count: number;
  };
  readonly app: { readonly slug?: string } | null;
}

type At = { owner: string; repo: string };

/** Check runs. `self`: our own login as it stands at comments. */
export function checkCalls(
  call: GitHubCall,
  isApp: boolean,
  self: (client: GitHubClient) => Promise<string>,
): Pick<ReviewHost, "publishCheck" | "readCheck"> {
  return {
    publishCheck: (repository, request) =>
      call(`write check run ${request.name}`, repository, true, async (client, at) => {
        const wanted = within(request);
        try {
          const slug = slugOf(await self(client));
          const own = (await runs(client, at, { ref: wanted.sha, name: wanted.name })).find(
            (run) => run.app?.slug === slug && run.external_id === wanted.externalId,
          );
          const marked = own !== undefined && own.status === "completed" && (await marks(own, wanted, client, at));
          if (own !== undefined && marked && saysThat(own, wanted)) return checkOf(own);
          // Annotations can only be added to: with others, another one of the same name takes its place.
          const kept = own !== undefined && (marked || own.output.annotations_count === 0) ? own.id : null;
          return checkOf(await write(client, at, marked ? { ...wanted, annotations: [] } : wanted, kept));
        } catch (error) {
          if (statusOf(error) !== 403 || /rate limit|abuse|archived/i.test(String((error as Error).message)))
            throw error;
          throw new StanchError("forbidden", `these credentials may not write check runs in ${repository} (403)`, {
            hint: isApp
              ? "give the App's installation checks: write on this repository, and accept the new permission there"
              : "only a GitHub App may write check runs: configure github.appId; with a token a commit status says it instead",
          });
        }
      }),
    readCheck: (repository, { ref, name, externalId, app }) =>
      call(`read check run ${name}`, repository, false, async (client, at) => {
        const found = (await runs(client, at, { ref, name, status: "completed" })).filter(
          (run) =>
            (externalId === undefined || run.external_id === externalId) &&
            (app === undefined || run.app?.slug?.toLowerCase() === app.toLowerCase()),
        );
        return found[0] === undefined ? null : checkOf(found[0]);
      }),
  };
}

/** An App's slug from its login. */
function slugOf(login: string): string {
  return login.replace(/\[bot\]$/, "");
}

/** Check runs of a name on a commit, newest first; none of a commit that is not there. */
async function runs(
  client: GitHubClient,
  at: At,
  { ref, name, status }: { readonly ref: string; readonly name: string; readonly status?: "completed" },
): Promise<CheckData[]> {
  const asked = { ...at, ref, check_name: name, filter: "all" as const, per_page: 100 };
  const found: CheckData[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await client.checks.listForRef({ ...asked, page, ...(status === undefined ? {} : { status }) });
    found.push(...data.check_runs);
    if (data.check_runs.length < 100) break;
  }
  // `check_name` is a filter that some hosts ignore; a name differs by case.
  return found
    .filter((run) => run.name === name && (status === undefined || run.status === status))
    .toSorted((a, b) => (b.completed_at ?? "").localeCompare(a.completed_at ?? "") || b.id - a.id);
}

/** Does it say the same, but for the lines that it marks? */
function saysThat({ conclusion, output }: CheckData, wanted: CheckRunRequest): boolean {
  return (
    conclusion === wanted.conclusion &&
    output.title === wanted.title &&
    output.summary === wanted.summary &&
    (output.text ?? "") === (wanted.text ?? "")
  );
}

/** Does it mark the same lines already? */
async function marks(run: CheckData, { annotations }: CheckRunRequest, client: GitHubClient, at: At): Promise<boolean> {
  if (run.output.annotations_count !== annotations.length) return false;
  if (annotations.length === 0) return true;
  const rows = await client.paginate(client.checks.listAnnotations, { ...at, check_run_id: run.id, per_page: 100 });
  const said = rows.map((row) => [
    row.path,
    row.start_line,
    row.end_line,
    row.annotation_level,
    row.title,
    row.message,
  ]);
  const meant = annotations.map((one) => [one.path, one.startLine, one.endLine, one.level, one.title, one.message]);
  const sorted = (list: readonly unknown[]): string =>
    JSON.stringify(list.map((row) => JSON.stringify(row)).toSorted());
  return sorted(said) === sorted(meant);
}

/** All pages; the last one completes it. */
async function write(client: GitHubClient, at: At, wanted: CheckRunRequest, id: number | null): Promise<CheckData> {
  const { title, summary, text } = wanted;
  const pages = pagesOf(wanted.annotations);
  let made: CheckData | null = null;
  for (const [index, annotations] of pages.entries()) {
    const last = index === pages.length - 1;
    const body = {
      ...at,
      output: { title, summary, ...(text === undefined ? {} : { text }), annotations: annotations.map(rowOf) },
      // A conclusion completes a check run, whatever its status says.
      ...(last ? { status: "completed" as const, conclusion: wanted.conclusion } : { status: "in_progress" as const }),
    };
    const known: number | null = made?.id ?? id;
    const sent: { data: CheckData } =
      known === null
        ? await client.checks.create({
            ...body,
            name: wanted.name,
            head_sha: wanted.sha,
            external_id: wanted.externalId,
            // The answer may be lost on its way: a second one of the same name does no harm, annotations said twice do.
            request: { retries: 0 },
          } as Parameters<typeof client.checks.create>[0])
        : await client.checks.update({
            ...body,
            check_run_id: known,
            ...(annotations.length > 0 ? { request: { retries: 0 } } : {}),
          } as Parameters<typeof client.checks.update>[0]);
    made = sent.data;
  }
  if (made === null) throw new StanchError("internal", "a check run without a page");
  return made;
}

function pagesOf(annotations: readonly CheckAnnotation[]): (readonly CheckAnnotation[])[] {
  const pages: (readonly CheckAnnotation[])[] = [];
  for (let from = 0; from < annotations.length; from += PAGE) pages.push(annotations.slice(from, from + PAGE));
  return pages.length === 0 ? [[]] : pages;
}

const rowOf = (one: CheckAnnotation) => ({
  path: one.path,
  start_line: one.startLine,
  end_line: one.endLine,
  annotation_level: one.level,
  title: one.title,
  message: one.message,
});

/** What GitHub takes: its own limits are the last line, whoever made the text. */
function within(request: CheckRunRequest): CheckRunRequest {
  return {
    ...request,
    title: cutTo(request.title, 255),
    summary: cutTo(request.summary, MOST),
    ...(request.text === undefined ? {} : { text: cutTo(request.text, MOST) }),
    annotations: request.annotations.map((one) => ({
      ...one,
      startLine: Math.max(1, one.startLine),
      endLine: Math.max(1, one.startLine, one.endLine),
      title: cutTo(one.title, 255),
      // 64 KB, and a letter has at most four bytes.
      message: cutTo(one.message, 16_000),
    })),
  };
}

function checkOf(data: CheckData): CheckRun {
  return {
    id: data.id,
    url: data.html_url ?? data.url,
    name: data.name,
    externalId: data.external_id ?? "",
    sha: data.head_sha,
    conclusion: data.conclusion ?? "",
    completedAt: data.completed_at ?? "",
    title: data.output.title ?? "",
    summary: data.output.summary ?? "",
    text: data.output.text ?? "",
    annotations: data.output.annotations_count,
    app: data.app?.slug ?? "",
  };
}
