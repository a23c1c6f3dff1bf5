const NETWORK = /^(?:https?_proxy|no_proxy|all_proxy|ssl_cert_(?:file|dir))$/i;

/** Of a process's environment, what says how the network is reached: its proxies and certificates, and nothing else. */
export function networkOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => NETWORK.test(entry[0]) && entry[1] !== undefined),
  );
}

/** The bundle of certificates that Git is told to trust; undefined: its own. */
export function gitCertificates(env: NodeJS.ProcessEnv): string | undefined {
  return env["GIT_SSL_CAINFO"] || env["SSL_CERT_FILE"] || undefined;
}
