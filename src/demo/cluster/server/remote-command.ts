import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import type { Pod } from "../shapes.ts";
import { ApiError, badRequest } from "./api-error.ts";
import type { Request } from "./http.ts";
import { authorize, type Command, type Routes, targetOf } from "./routes.ts";

/** RFC 6455, 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const [STDOUT, STATUS] = [1, 3];
const [BINARY, CLOSE] = [0x2, 0x8];

/** Runs the command of a request that asks for a WebSocket; throws ApiError where it cannot be begun. */
export function routeExec(request: Request, routes: Routes): Command {
  const target = targetOf(request.path, routes.api);
  if (target?.kind.kind !== "Pod" || target.subresource !== "exec")
    throw new ApiError(404, "NotFound", "the server could not find the requested resource", {});
  authorize(request, target, routes.account);
  // Whoever may only read a pod may not run anything in it (AuthorizePodWebsocketUpgradeCreatePermission).
  authorize({ ...request, method: "POST" }, target, routes.account);
  const pod = routes.api.read(target.kind, target.namespace, target.name) as Pod;
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const container = request.params.get("container") ?? containers[0]?.name ?? "";
  if (!containers.some(({ name }) => name === container))
    throw badRequest(`container ${container} is not valid for pod ${target.name}`);
  const argv = request.params.getAll("command");
  if (argv.length === 0) throw badRequest("you must specify at least 1 command for the container");
  const done = routes.exec(pod, container, argv);
  if (done === null)
    throw new ApiError(500, "InternalError", `unable to upgrade connection: container not found ("${container}")`);
  return done;
}

/**
 * Answers a WebSocket request for `pods/exec` as kube-apiserver does: what the command wrote on channel 1, how it ended as a Status on channel 3,
 * and the close. The other side only ever closes. Throws ApiError for a request that is no WebSocket's.
 */
export function tellCommand(socket: Duplex, headers: IncomingHttpHeaders, { code, output }: Command): void {
  const key = headers["sec-websocket-key"];
  const asked = (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const protocol = PROTOCOLS.find((name) => asked.includes(name));
  if (key === undefined || headers.upgrade?.toLowerCase() !== "websocket") throw badRequest("Upgrade request required");
  if (protocol === undefined) throw badRequest(`no supported protocol among ${asked.join(", ")}`);
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`,
  );
  if (output !== "") socket.write(frame(BINARY, Buffer.concat([Buffer.from([STDOUT]), Buffer.from(output)])));
  socket.write(frame(BINARY, Buffer.concat([Buffer.from([STATUS]), Buffer.from(JSON.stringify(statusOf(code)))])));
  // 1000: a normal end.
  socket.write(frame(CLOSE, Buffer.from([0x03, 0xe8])));
  socket.on("data", () => undefined);
  socket.on("end", () => socket.end());
}

/** As the kubelet words it (k8s.io/kubelet/pkg/cri/streaming/remotecommand). */
function statusOf(code: number): object {
  if (code === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit code ${code}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(code) }] },
  };
}

/** One unmasked frame, as a server sends it. */
function frame(opcode: number, data: Buffer): Buffer {
  const head = [0x80 | opcode];
  if (data.length < 126) head.push(data.length);
  else if (data.length < 65_536) head.push(126, data.length >> 8, data.length & 0xff);
  else {
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(data.length));
    head.push(127, ...size);
  }
  return Buffer.concat([Buffer.from(head), data]);
}
