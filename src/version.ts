import manifest from "../package.json" with { type: "json" };

/** Stanch's own version. */
export const version: string = manifest.version;
