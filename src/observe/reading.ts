import type { Config } from "../config/schema.ts";
import type { KubeObject } from "../model.ts";
import type { Clock, Cluster, Resource } from "../ports.ts";

/** What the reading steps share. */
export interface Reading {
  readonly cluster: Cluster;
  readonly config: Config;
  readonly clock: Clock;
  /** Parts that could not be read; the scan goes on without them and says so. */
  readonly gaps: string[];
  watched(namespace: string): boolean;
  pages(resource: Resource): AsyncIterable<readonly KubeObject[]>;
}
