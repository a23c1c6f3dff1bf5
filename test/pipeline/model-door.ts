import { createAnthropic } from "../../src/adapters/anthropic.ts";
import type { Hosts } from "../../src/compose.ts";
import type { Cluster } from "../../src/ports.ts";

type Doors = { api: Cluster; hosts: Hosts };

/** A run's doors with a model behind an API at that address. */
export const modelAt =
  (url: string) =>
  (doors: Doors): Doors => ({
    ...doors,
    hosts: {
      ...doors.hosts,
      model: {
        advisor: createAnthropic({ apiKey: "k-of-a-test", baseUrl: url }),
        secrets: [],
        draw: () => "d4f1c2",
      },
    },
  });
