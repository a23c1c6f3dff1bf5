import type { Host } from "./answer.ts";
import { idOf, nodeId, userShape } from "./shapes.ts";
import type { Repository } from "./state.ts";

export const INSTALLATION = 4242;
export const GRANTED = {
  checks: "write",
  statuses: "write",
  contents: "write",
  pull_requests: "write",
  issues: "write",
  metadata: "read",
};

export function appShape(host: Host, slug = "stanch") {
  return {
    id: slug === "stanch" ? 7 : idOf(slug),
    slug,
    client_id: `Iv1.${slug}`,
    node_id: nodeId(`App:${slug}`),
    owner: userShape("acme", host.url()),
    name: slug,
    description: null,
    external_url: host.url(),
    html_url: `${host.url()}/apps/${slug}`,
    created_at: "2024-01-01T00:00:00Z",
    updated_at: "2024-01-01T00:00:00Z",
    permissions: GRANTED,
    events: [],
  };
}

export function installationShape(repository: Repository, host: Host) {
  const account = userShape(repository.fullName.split("/")[0] ?? "", host.url());
  return {
    id: INSTALLATION,
    account,
    app_id: 7,
    client_id: "Iv1.stanch",
    app_slug: "stanch",
    target_id: account.id,
    target_type: "Organization",
    permissions: GRANTED,
    events: [],
    repository_selection: "selected",
    single_file_name: null,
    access_tokens_url: `${host.url()}/app/installations/${INSTALLATION}/access_tokens`,
    repositories_url: `${host.url()}/installation/repositories`,
    html_url: `${host.url()}/settings/installations/${INSTALLATION}`,
    created_at: host.now(),
    updated_at: host.now(),
    suspended_by: null,
    suspended_at: null,
  };
}
