import type { AnswerCheck } from "../advice/citations.ts";
import type { FileEdit } from "../model.ts";
import type { CheckResult } from "../ports.ts";

/**
 * A fix of a program's own code, written by a model in the repository that its image is built from. It is never applied by Stanch: it is
 * proposed as a draft pull request, and people decide.
 */
export type SoughtFix =
  | {
      readonly fixed: true;
      /** Whole files before and after, in the order in which they were first edited; never empty. Every limit was checked. */
      readonly edits: readonly FileEdit[];
      /** What is wrong, in one or two sentences: redacted, bounded, no link, mention or markup in it. */
      readonly cause: string;
      /** What the edits do: the same. */
      readonly summary: string;
      /** What the cause rests on: ids of what was shown, and words of it. */
      readonly citations: readonly { readonly id: string; readonly quote: string }[];
      readonly checks: readonly AnswerCheck[];
      /** What the check command said of exactly these edits; absent where there is none, or it was never run on them. */
      readonly checked?: CheckResult;
      /** What a reviewer should look at first, as sentences without a full stop: a new import, a network call, a check that went away. */
      readonly cautions: readonly string[];
    }
  | {
      readonly fixed: false;
      /** For people: why there is no fix, as a sentence without a full stop. */
      readonly reason: string;
      /** What it costs to ask is paid, and the same question would be answered so again. */
      readonly paid: boolean;
    };
