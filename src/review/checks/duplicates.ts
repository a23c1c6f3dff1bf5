import { keyOf, refOf } from "../../kube/ref.ts";
import { problemOf, type StaticCheck } from "./check.ts";

/** One object that is said twice: the deployer takes one of them, or refuses both. */
export const duplicateObject: StaticCheck = {
  id: "duplicate",
  summary: "An object that one root declares twice.",
  look({ objects }) {
    const groups = Map.groupBy(objects, (object) => keyOf(refOf(object)));
    return [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined || group.length < 2) return [];
      const times = group.length === 2 ? "twice" : `${group.length} times`;
      return [
        problemOf("duplicate", first, "failure", `is declared ${times}: which one is deployed is left to chance.`),
      ];
    });
  },
};
