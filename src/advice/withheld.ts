/** Files that hold secrets by their purpose, sealed or not, and what is no text of the deployment. */
const WITHHELD =
  /(?:^|\/)(?:\.git\/|\.env|\.npmrc|\.netrc|\.pgpass|\.dockercfg|\.docker\/|id_[a-z0-9]+$|kubeconfig)|secret|credential|password|\.(?:pem|key|p12|pfx|jks|kdbx|age|gpg|asc|tfstate|tfvars)(?:$|\.)|(?:^|\/)sops|\.sops\.|\.enc\./i;

/** May a file hold secrets, by its path? Then it is neither shown nor searched. */
export function isWithheld(path: string): boolean {
  return WITHHELD.test(path);
}

/** May a file hold secrets, by its content? */
export function holdsSecrets(text: string): boolean {
  return (
    /^[ \t]*kind:[ \t]*["']?\w{0,80}secret/im.test(text) ||
    /\bENC\[AES256_GCM|\$ANSIBLE_VAULT|BEGIN (?:PGP|AGE)/.test(text)
  );
}
