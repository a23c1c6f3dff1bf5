/** Said once on a pull request to which a person has committed. */
export const HANDOVER =
  "There are commits of a person here, so Stanch pushes nothing more to this branch and leaves the description as it is. Merge it or close it as you see fit.";

/** The label that says the same in a list. */
export const EDITED = "edited";
