import { type Answer, FORBIDDEN, type Host, invalid, NOT_FOUND, type Question, refuse } from "./answer.ts";
import { appShape } from "./app-shapes.ts";
import { git, headOf } from "./git-server.ts";
import { commitsIn } from "./pull-routes.ts";
import { idOf, nodeId, userShape } from "./shapes.ts";
import type { Annotation, Check, Repository, Status } from "./state.ts";

const MOST_TEXT = 65_535;
const MOST_ANNOTATIONS = 50;
const MOST_TITLE = 255;
const CONCLUSIONS: readonly unknown[] =
  "action_required cancelled failure neutral success skipped stale timed_out".split(" ");
const LEVELS: readonly unknown[] = ["notice", "warning", "failure"];

/** Answers what is asked of check runs, statuses, commits of a branch and collaborators; null: it is about something else. */
export async function onChecks(
  question: Question,
  rest: string,
  repository: Repository,
  host: Host,
): Promise<Answer | null> {
  const { method, query } = question;
  const at = `${method} ${rest.replaceAll(/%2f/gi, "/")}`;
  if (at === "POST /check-runs") return create(question, repository, host);
  const one = /^(\w+) \/check-runs\/(\d+)(\/annotations)?$/.exec(at);
  if (one !== null) return onCheck(question, repository, host, { id: Number(one[2]), part: one[3] ?? "" });
  const ofCommit = /^GET \/commits\/(.+)\/(check-runs|statuses)$/.exec(at);
  if (ofCommit !== null) {
    const sha = await shaOf(repository, decodeURIComponent(ofCommit[1] ?? ""));
    if (sha === null) return refuse(422, `No commit found for SHA: ${ofCommit[1]}`);
    if (ofCommit[2] === "check-runs") return listChecks(query, repository, host, sha);
    const rows = repository.statuses.filter((status) => status.sha === sha).toReversed();
    return { status: 200, items: rows.map((status) => statusShape(repository, status, host)) };
  }
  const status = /^POST \/statuses\/([0-9a-f]+)$/.exec(at);
  if (status !== null) return setStatus(question, repository, host, status[1] ?? "");
  if (at === "GET /commits") {
    const sha = await shaOf(repository, query.get("sha") ?? repository.branch);
    return sha === null ? NOT_FOUND : { status: 200, items: (await commitsIn(repository, sha, host)).toReversed() };
  }
  const person = /^GET \/collaborators\/([^/]+)\/permission$/.exec(at);
  return person === null ? null : permissionOf(repository, decodeURIComponent(person[1] ?? ""), host);
}

async function shaOf(repository: Repository, ref: string): Promise<string | null> {
  if (ref === "" || ref.startsWith("-")) return null;
  const head = await headOf(repository.folder, ref.replace(/^heads\//, ""));
  if (head !== null || !/^[0-9a-f]{7,40}$/.test(ref)) return head;
  const known = COMMITS.get(repository) ?? new Map<string, string>();
  COMMITS.set(repository, known);
  const sha =
    known.get(ref) ??
    (await git(repository.folder, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]).catch(() => "")).trim();
  if (sha !== "") known.set(ref, sha);
  return sha || null;
}

/** What git said that a name stands for: a commit that was there once stays, because nothing is ever collected. */
const COMMITS = new WeakMap<Repository, Map<string, string>>();

async function create(question: Question, repository: Repository, host: Host): Promise<Answer> {
  const { body, token } = question;
  if (token?.app === undefined)
    return token?.login.endsWith("[bot]") === true ? FORBIDDEN : refuse(403, "You must authenticate via a GitHub App.");
  if (typeof body["name"] !== "string" || body["name"] === "")
    return refuse(422, 'Invalid request.\n\n"name" wasn\'t supplied.');
  const sha = await shaOf(repository, typeof body["head_sha"] === "string" ? body["head_sha"] : "");
  if (sha === null) return refuse(422, `No commit found for SHA: ${String(body["head_sha"])}`);
  const fault = faultOf(body);
  if (fault !== null) return fault;
  const check: Check = {
    id: 500_000 + repository.checks.length + 1,
    sha,
    app: token.app,
    name: body["name"],
    externalId: typeof body["external_id"] === "string" ? body["external_id"] : "",
    status: "queued",
    conclusion: null,
    startedAt: host.now(),
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
  };
  repository.checks.push(check);
  write(check, body, host.now());
  return { status: 201, body: checkShape(repository, check, host) };
}

function onCheck(
  question: Question,
  repository: Repository,
  host: Host,
  { id, part }: { readonly id: number; readonly part: string },
): Answer {
  const { method, body, token } = question;
  const check = repository.checks.find((candidate) => candidate.id === id);
  if (check === undefined) return NOT_FOUND;
  if (method === "GET" && part === "/annotations")
    return { status: 200, items: check.annotations.map((row) => annotationShape(repository, check, row, host)) };
  if (part !== "") return NOT_FOUND;
  if (method === "GET") return { status: 200, body: checkShape(repository, check, host) };
  if (method !== "PATCH") return NOT_FOUND;
  if (token?.app === undefined) return refuse(403, "You must authenticate via a GitHub App.");
  if (token.app !== check.app)
    return refuse(
      403,
      "Invalid app_id `" +
        `${idOf(token.app)}` +
        "` - check run can only be modified by the GitHub App that created it.",
    );
  const fault = faultOf(body);
  if (fault !== null) return fault;
  write(check, body, host.now());
  return { status: 200, body: checkShape(repository, check, host) };
}

/** GitHub adds the annotations of each request to those that are there. */
function write(check: Check, body: Record<string, unknown>, now: string): void {
  const output = (body["output"] ?? {}) as Record<string, unknown>;
  if (typeof body["name"] === "string") check.name = body["name"];
  if (typeof body["external_id"] === "string") check.externalId = body["external_id"];
  for (const key of ["title", "summary", "text"] as const)
    if (typeof output[key] === "string") check[key] = output[key];
  check.annotations.push(
    ...((output["annotations"] ?? []) as Annotation[]).map((row) => ({ ...row, title: row.title ?? null })),
  );
  if (typeof body["status"] === "string") check.status = body["status"];
  if (typeof body["conclusion"] === "string") {
    check.conclusion = body["conclusion"];
    check.status = "completed";
    check.completedAt = now;
  } else if (check.status !== "completed") {
    check.conclusion = null;
    check.completedAt = null;
  }
}

function faultOf(body: Record<string, unknown>): Answer | null {
  const invalidRequest = (text: string): Answer => refuse(422, `Invalid request.\n\n${text}`);
  if (body["status"] === "completed" && body["conclusion"] === undefined)
    return invalidRequest('"conclusion" wasn\'t supplied.');
  if (body["conclusion"] !== undefined && !CONCLUSIONS.includes(body["conclusion"]))
    return invalidRequest(`${String(body["conclusion"])} is not a member of ${JSON.stringify(CONCLUSIONS)}.`);
  const output = body["output"] as Record<string, unknown> | undefined;
  if (output === undefined) return null;
  for (const key of ["title", "summary"])
    if (typeof output[key] !== "string") return invalidRequest(`"${key}" wasn't supplied.`);
  for (const key of ["summary", "text"])
    if (typeof output[key] === "string" && [...output[key]].length > MOST_TEXT)
      return invalid("CheckRun", `${key} exceeds a maximum bytesize of ${MOST_TEXT}`);
  const annotations = (output["annotations"] ?? []) as readonly Record<string, unknown>[];
  if (annotations.length > MOST_ANNOTATIONS)
    return invalidRequest(`No more than ${MOST_ANNOTATIONS} items are allowed; ${annotations.length} were supplied.`);
  for (const row of annotations) {
    const { path, start_line: start, end_line: end, annotation_level: level, message, title } = row;
    if (typeof path !== "string" || path === "" || path.startsWith("/"))
      return invalid("CheckAnnotation", "path is invalid");
    if (
      !Number.isInteger(start) ||
      !Number.isInteger(end) ||
      (start as number) < 1 ||
      (end as number) < (start as number)
    )
      return invalid("CheckAnnotation", "start_line must be at most end_line, and both at least 1");
    if (!LEVELS.includes(level)) return invalid("CheckAnnotation", "annotation_level is invalid");
    if (typeof message !== "string" || message === "" || Buffer.byteLength(message) > 65_536)
      return invalid("CheckAnnotation", "message is invalid: it is needed, and at most 64 KB");
    if (title !== undefined && (typeof title !== "string" || [...title].length > MOST_TITLE))
      return invalid("CheckAnnotation", `title is too long (maximum is ${MOST_TITLE} characters)`);
  }
  return null;
}

function listChecks(query: URLSearchParams, repository: Repository, host: Host, sha: string): Answer {
  const [name, status, filter] = ["check_name", "status", "filter"].map((key) => query.get(key));
  const rows = repository.checks
    .filter((check) => check.sha === sha && (name === null || check.name === name))
    .filter((check) => status === null || check.status === status)
    .toReversed();
  // The newest of each name of an App hides the others.
  const latest = rows.filter(
    (check, index) => rows.findIndex((other) => other.name === check.name && other.app === check.app) === index,
  );
  const shown = filter === "all" ? rows : latest;
  return { status: 200, items: shown.map((check) => checkShape(repository, check, host)), key: "check_runs" };
}

async function setStatus(question: Question, repository: Repository, host: Host, ref: string): Promise<Answer> {
  const { body, token } = question;
  const sha = await shaOf(repository, ref);
  if (sha === null) return refuse(422, `No commit found for SHA: ${ref}`);
  const { state, description = null, target_url: url = null, context = "default" } = body;
  const wrong = (field: string): Answer =>
    refuse(422, "Validation Failed", [{ resource: "Status", field, code: "invalid" }]);
  if (!["error", "failure", "pending", "success"].includes(String(state))) return wrong("state");
  if (typeof context !== "string" || [...context].length > 255) return wrong("context");
  if (description !== null && (typeof description !== "string" || [...description].length > 140))
    return invalid("Status", "description is too long (maximum is 140 characters)");
  if (url !== null && (typeof url !== "string" || !/^https?:/.test(url))) return wrong("target_url");
  const same = repository.statuses.filter((row) => row.sha === sha && row.context === context);
  if (same.length >= 1000) return invalid("Status", "This SHA and context has reached the maximum number of statuses.");
  const status: Status = {
    id: repository.statuses.length + 1,
    sha,
    context,
    state: String(state),
    description,
    url,
    user: token?.login ?? "",
    at: host.now(),
  };
  repository.statuses.push(status);
  return { status: 201, body: statusShape(repository, status, host) };
}

const STANDS_ON: Readonly<Record<string, string>> = { maintain: "write", triage: "read" };

/** A role of the organisation's own stands on `write` here. */
function permissionOf(repository: Repository, login: string, host: Host): Answer {
  if (login.endsWith("[bot]")) return refuse(404, `${login} is not a user`);
  const role = repository.roles.get(login) ?? (repository.public ? "read" : "none");
  const own = ["admin", "maintain", "write", "triage", "read", "none"].includes(role);
  return {
    status: 200,
    body: {
      permission: STANDS_ON[role] ?? (own ? role : "write"),
      role_name: role === "none" ? "" : role,
      user: { ...userShape(login, host.url()), role_name: role },
    },
  };
}

function statusShape(repository: Repository, status: Status, host: Host) {
  return {
    url: `${host.url()}/repos/${repository.fullName}/statuses/${status.sha}`,
    avatar_url: null,
    id: status.id,
    node_id: nodeId(`Status:${status.id}`),
    state: status.state,
    description: status.description,
    target_url: status.url,
    context: status.context,
    created_at: status.at,
    updated_at: status.at,
    creator: userShape(status.user, host.url()),
  };
}

function annotationShape(repository: Repository, check: Check, row: Annotation, host: Host) {
  return {
    ...row,
    start_column: null,
    end_column: null,
    raw_details: null,
    blob_href: `${host.url()}/${repository.fullName}/blob/${check.sha}/${row.path}`,
  };
}

function checkShape(repository: Repository, check: Check, host: Host) {
  const url = `${host.url()}/repos/${repository.fullName}/check-runs/${check.id}`;
  const html = `${host.url()}/${repository.fullName}/runs/${check.id}`;
  return {
    id: check.id,
    node_id: nodeId(`CheckRun:${check.id}`),
    head_sha: check.sha,
    external_id: check.externalId,
    url,
    html_url: html,
    details_url: html,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      title: check.title,
      summary: check.summary,
      text: check.text,
      annotations_count: check.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    name: check.name,
    check_suite: { id: idOf(`${check.sha}/${check.app}`) },
    app: appShape(host, check.app),
    pull_requests: [],
  };
}
