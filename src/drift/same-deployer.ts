import type { Root } from "./root.ts";

/** Of one deployer's sources that declare the same object, the last wins, as in Argo CD. */
export function declaredLater(roots: readonly Root[]): (root: Root, key: string) => boolean {
  return (root, key) => {
    const order = root.deployer?.origins.found === true ? root.deployer.origins.origins : [];
    const at = (other: Root): number => order.indexOf(other.origin);
    return roots.some(
      (other) =>
        other !== root &&
        other.deployer !== null &&
        other.deployer === root.deployer &&
        at(other) > at(root) &&
        other.declared.has(key),
    );
  };
}

/** One source of each deployer: what is said of a deployer is said once. */
export function firstOfEach(roots: readonly Root[]): Root[] {
  return roots.filter((root, index) => roots.findIndex(({ deployer }) => deployer === root.deployer) === index);
}
