import { mkdtemp, rm } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Host, type Question, refuse } from "./answer.ts";
import { type Author, type CommitFiles, commitFiles, git, makeBare, protect, serveGit } from "./git-server.ts";
import { bodyOf, parse, send, sendPage, tokenOf } from "./http.ts";
import { addComment, close, rewrite } from "./issue-routes.ts";
import { mergePull } from "./pull-routes.ts";
import { answer } from "./routes.ts";
import type { Check, Fault, Issue, Permission, Pull, Repository, RequestRow, Status, Token } from "./state.ts";

/** A GitHub in this process: REST as GitHub shapes it, and real git over smart HTTP. */
export interface EmbeddedCodeHost extends AsyncDisposable {
  readonly url: string;
  readonly apiUrl: string;
  addRepository(
    fullName: string,
    options: {
      readonly commits: readonly CommitFiles[];
      readonly branch?: string;
      readonly protectedBranches?: readonly string[];
      readonly public?: boolean;
    },
  ): Promise<void>;
  /** The account that commits of an address belong to. */
  addAccount(email: string, login: string): void;
  /** These users and teams are no collaborators: they cannot be asked for a review. */
  estrange(fullName: string, names: readonly string[]): void;
  issues(fullName: string): readonly Issue[];
  /** A person closes an issue, as one does by the button, or with another reason. */
  closeIssue(fullName: string, number: number, who: { readonly as: string; readonly reason?: Issue["reason"] }): void;
  /** A person changes the text of an issue. */
  editIssue(fullName: string, number: number, who: { readonly as: string; readonly body: string }): void;
  /** Switches issues off, or on again. */
  allowIssues(fullName: string, allowed: boolean): void;
  /** `app`: it is the token of this App's installation. */
  addToken(
    token: string,
    who: { readonly login: string; readonly permission: Permission; readonly app?: string },
  ): void;
  /** Makes somebody a collaborator: `admin`, `maintain`, `write`, `triage`, `read`, or a role of the organisation's own. */
  addCollaborator(fullName: string, login: string, role: string): void;
  /** Somebody comments on an issue or pull request. Answers the comment's id. */
  comment(fullName: string, number: number, who: { readonly as: string; readonly body: string }): number;
  editComment(fullName: string, id: number, body: string): void;
  checks(fullName: string): readonly Check[];
  statuses(fullName: string): readonly Status[];
  /** A person squash-merges. */
  merge(fullName: string, number: number, who: { readonly as: string }): Promise<void>;
  closePull(fullName: string, number: number, who: { readonly as: string }): void;
  /** A person pushes a commit. Answers its id. */
  commit(
    fullName: string,
    branch: string,
    files: Readonly<Record<string, string | null>>,
    options: { readonly author?: Author; readonly message: string; readonly date?: Date },
  ): Promise<string>;
  /** Makes a branch at a revision, or moves it there. */
  branch(fullName: string, name: string, revision: string): Promise<void>;
  read(fullName: string, revision: string, path: string): Promise<string>;
  pulls(fullName: string): readonly Pull[];
  archive(fullName: string): void;
  /** Protects these branches from now on (globs), and no others. */
  protect(fullName: string, branches: readonly string[]): Promise<void>;
  readonly faults: { add(fault: Omit<Fault, "times"> & { readonly times?: number }): void; clear(): void };
  readonly requests: readonly RequestRow[];
  close(): Promise<void>;
}

const GIT_PATH = /^\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;

/** Starts one on 127.0.0.1 (or `host`), on any free port. */
export async function startCodeHost(
  options: { readonly port?: number; readonly host?: string; readonly publicUrl?: string } = {},
): Promise<EmbeddedCodeHost> {
  const folder = await mkdtemp(join(tmpdir(), "stanch-host-"));
  const repositories = new Map<string, Repository>();
  const tokens = new Map<string, Token>();
  const faults: Fault[] = [];
  const requests: RequestRow[] = [];
  const accounts = new Map<string, string>();
  let address = "";
  const host: Host = { url: () => address, repositories, tokens, accounts, now: () => new Date().toISOString() };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://x");
    const method = request.method ?? "GET";
    const path = url.pathname.replace(/^\/api\/v3(?=\/)/, "");
    const authorization = request.headers.authorization ?? "";
    const given = tokenOf(authorization);
    const token = given === null ? null : (tokens.get(given) ?? null);
    const row: RequestRow = { method, path, login: token?.login ?? null, body: "", status: 0 };
    requests.push(row);
    const fault = faults.find(
      (candidate) => candidate.times > 0 && (candidate.method ?? method) === method && candidate.path.test(path),
    );
    if (fault !== undefined) {
      fault.times -= 1;
      if (fault.delayMs !== undefined) await wait(fault.delayMs);
      if (fault.closeConnection === true) {
        request.socket.destroy();
        return;
      }
      if (fault.status !== undefined) {
        row.status = fault.status;
        request.resume();
        send(response, fault.status, fault.body ?? { message: "Server Error" }, fault.headers);
        return;
      }
    }
    const gitPath = GIT_PATH.exec(path);
    if (gitPath !== null) {
      row.status = onGit(request, response, {
        name: gitPath[1] ?? "",
        rest: gitPath[2] ?? "",
        query: url.searchParams,
        token,
      });
      return;
    }
    const text = await bodyOf(request);
    Object.assign(row, { body: text });
    const jwt = /^bearer eyJ/i.test(authorization);
    const said =
      given !== null && token === null && !jwt
        ? refuse(401, "Bad credentials")
        : await answer(
            { method, path, query: url.searchParams, body: parse(text), token, authorization } satisfies Question,
            host,
          );
    row.status = said.status;
    if (said.items === undefined) send(response, said.status, said.body);
    else sendPage(response, said.status, said, url, address);
  }

  function onGit(
    request: IncomingMessage,
    response: ServerResponse,
    at: { name: string; rest: string; query: URLSearchParams; token: Token | null },
  ): number {
    const repository = repositories.get(at.name.toLowerCase());
    const writing = at.rest === "git-receive-pack" || at.query.get("service") === "git-receive-pack";
    const status =
      at.token === null
        ? 401
        : repository === undefined
          ? 404
          : writing && (at.token.permission === "read" || repository.archived)
            ? 403
            : 200;
    if (status !== 200 || repository === undefined) {
      request.resume();
      response
        .writeHead(status, status === 401 ? { "www-authenticate": 'Basic realm="GitHub"' } : {})
        .end(status === 403 ? "Write access to repository not granted.\n" : "Repository not found.\n");
      return status;
    }
    serveGit(request, response, repository.folder, at.rest, at.query);
    return 200;
  }

  const server = http.createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        send(response, 500, { message: error instanceof Error ? error.message : String(error) });
      else response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve));
  address = options.publicUrl ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const find = (fullName: string): Repository => {
    const repository = repositories.get(fullName.toLowerCase());
    if (repository === undefined) throw new Error(`no repository ${fullName}`);
    return repository;
  };
  const findPull = (fullName: string, number: number): Pull => {
    const pull = find(fullName).pulls.find((candidate) => candidate.number === number);
    if (pull === undefined) throw new Error(`no pull request ${fullName}#${number}`);
    return pull;
  };
  const findIssue = (fullName: string, number: number): Issue => {
    const issue = find(fullName).issues.find((candidate) => candidate.number === number);
    if (issue === undefined) throw new Error(`no issue ${fullName}#${number}`);
    return issue;
  };
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    url: address,
    apiUrl: `${address}/api/v3`,
    async addRepository(fullName, options) {
      const { commits, branch = "main", protectedBranches = [] } = options;
      const bare = join(folder, `${fullName}.git`);
      await makeBare(bare, branch, protectedBranches);
      for (const commit of commits) await commitFiles(bare, branch, commit);
      repositories.set(fullName.toLowerCase(), {
        fullName,
        folder: bare,
        branch,
        archived: false,
        public: options.public === true,
        noIssues: false,
        strangers: new Set(),
        pulls: [],
        issues: [],
        checks: [],
        statuses: [],
        roles: new Map(),
      });
    },
    addAccount: (email, login) => void accounts.set(email, login),
    estrange(fullName, names) {
      for (const name of names) find(fullName).strangers.add(name);
    },
    issues: (fullName) => find(fullName).issues,
    closeIssue(fullName, number, { as, reason = "completed" }) {
      const issue = findIssue(fullName, number);
      close(issue, as, host.now());
      issue.reason = reason;
    },
    editIssue: (fullName, number, { as, body }) => rewrite(findIssue(fullName, number), as, body, host.now()),
    allowIssues(fullName, allowed) {
      find(fullName).noIssues = !allowed;
    },
    addToken: (token, who) => void tokens.set(token, who),
    addCollaborator: (fullName, login, role) => void find(fullName).roles.set(login, role),
    comment(fullName, number, { as, body }) {
      const talk = [...find(fullName).issues, ...find(fullName).pulls].find((one) => one.number === number);
      if (talk === undefined) throw new Error(`nothing to comment on: ${fullName}#${number}`);
      return addComment(talk, as, body, host.now()).id;
    },
    editComment(fullName, id, body) {
      const talks = [...find(fullName).issues, ...find(fullName).pulls];
      const comment = talks.flatMap((talk) => talk.comments).find((one) => one.id === id);
      if (comment === undefined) throw new Error(`no comment ${id} in ${fullName}`);
      Object.assign(comment, { body, edited: host.now() });
    },
    checks: (fullName) => find(fullName).checks,
    statuses: (fullName) => find(fullName).statuses,
    async merge(fullName, number, { as }) {
      const said = await mergePull(findPull(fullName, number), find(fullName), as, host.now());
      if (said.status !== 200) throw new Error((said.body as { message: string }).message);
    },
    closePull: (fullName, number, { as }) => close(findPull(fullName, number), as, host.now()),
    commit: (fullName, branch, files, { message, author, date }) =>
      commitFiles(find(fullName).folder, branch, {
        message,
        files,
        ...(author === undefined ? {} : { author }),
        ...(date === undefined ? {} : { date }),
      }),
    branch: async (fullName, name, revision) =>
      void (await git(find(fullName).folder, ["update-ref", `refs/heads/${name}`, revision])),
    read: (fullName, revision, path) => git(find(fullName).folder, ["show", `${revision}:${path}`]),
    pulls: (fullName) => find(fullName).pulls,
    archive: (fullName) => {
      find(fullName).archived = true;
    },
    protect: (fullName, branches) => protect(find(fullName).folder, branches),
    faults: { add: (fault) => void faults.push({ times: 1, ...fault }), clear: () => void faults.splice(0) },
    requests,
    close: stop,
    [Symbol.asyncDispose]: stop,
  };
}
