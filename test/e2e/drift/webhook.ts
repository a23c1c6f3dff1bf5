import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { kubectl } from "../lab.ts";
import { apply } from "./world.ts";

const call = promisify(execFile);

/** The label of a namespace whose Deployments and Services are mutated. */
export const MUTATED = { "drift.example.com/webhook": "yes" };

interface Review {
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly object: {
      readonly kind: string;
      readonly metadata: { readonly annotations?: object };
      readonly spec: {
        readonly template?: {
          readonly spec: { readonly containers: readonly { name: string; image: string; env?: object[] }[] };
        };
      };
    };
  };
}

export interface Webhook extends AsyncDisposable {
  /** Reviews that were answered. */
  calls(): number;
}

/**
 * A mutating webhook as service meshes and image proxies are: it puts a sidecar first, an environment variable into every container, an annotation on
 * the object, and another registry before images. With a certificate authority of its own.
 */
export async function startWebhook(name: string): Promise<Webhook> {
  const folder = await mkdtemp(join(tmpdir(), "stanch-webhook-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  await call("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"],
    ...["-subj", "/CN=drift-webhook", "-addext", "subjectAltName=DNS:host.lab.internal,IP:127.0.0.1"],
  ]);
  const ca = await readFile(certificate);
  let calls = 0;
  const server = https.createServer({ key: await readFile(key), cert: ca }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      calls++;
      const review = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Review;
      const patch = Buffer.from(JSON.stringify(mutations(review))).toString("base64");
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({
          apiVersion: "admission.k8s.io/v1",
          kind: "AdmissionReview",
          response: { uid: review.request.uid, allowed: true, patchType: "JSONPatch", patch },
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as AddressInfo;
  await apply([
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name },
      webhooks: [
        {
          name: "mutate.drift.example.com",
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          reinvocationPolicy: "Never",
          clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: ca.toString("base64") },
          namespaceSelector: { matchLabels: MUTATED },
          rules: [
            { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["deployments"] },
            { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["services"] },
          ],
        },
      ],
    },
  ]);
  return {
    calls: () => calls,
    async [Symbol.asyncDispose]() {
      await kubectl(["delete", "mutatingwebhookconfiguration", name, "--ignore-not-found"], { may: [1] });
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function mutations({ request: { object } }: Review): object[] {
  const out: object[] = [];
  const annotation = { "mesh.example.com/injected": "true" };
  if (object.metadata.annotations === undefined)
    out.push({ op: "add", path: "/metadata/annotations", value: annotation });
  else out.push({ op: "add", path: "/metadata/annotations/mesh.example.com~1injected", value: "true" });
  const containers = object.spec.template?.spec.containers ?? [];
  for (const [index, { name, image, env }] of containers.entries()) {
    const at = `/spec/template/spec/containers/${index}`;
    if (name === "mesh") continue;
    if (!image.includes("/")) out.push({ op: "replace", path: `${at}/image`, value: `docker.io/library/${image}` });
    if (image.startsWith("registry.k8s.io/e2e-test-images/agnhost:2.53"))
      out.push({ op: "replace", path: `${at}/image`, value: "127.0.0.1:5000/e2e-test-images/agnhost:2.53" });
    const variable = { name: "MESH", value: "on" };
    if (env === undefined) out.push({ op: "add", path: `${at}/env`, value: [variable] });
    else if (!env.some((each) => (each as { name: string }).name === "MESH"))
      out.push({ op: "add", path: `${at}/env/0`, value: variable });
  }
  if (containers.length > 0 && !containers.some(({ name }) => name === "mesh"))
    out.push({
      op: "add",
      path: "/spec/template/spec/containers/0",
      value: { name: "mesh", image: "busybox:1.36", command: ["sleep", "36000"] },
    });
  return out;
}
