import type { StaticCheck } from "./check.ts";
import { duplicateObject } from "./duplicates.ts";
import { podShape, probePort, quantities } from "./pods.ts";
import { danglingReference } from "./references.ts";
import { emptySelector, wrongServicePort } from "./services.ts";

/** Every check of a rendered head, in the order in which a reader needs them. */
export const staticChecks: readonly StaticCheck[] = [
  podShape,
  quantities,
  duplicateObject,
  danglingReference,
  emptySelector,
  wrongServicePort,
  probePort,
];
