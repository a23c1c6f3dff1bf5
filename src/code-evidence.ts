import { createHash } from "node:crypto";
import { evidenceFingerprint } from "./advice/fingerprint.ts";
import { formatImage, parseImage } from "./kube/image.ts";
import type { Finding } from "./model.ts";

/** A program that fails, and where its code is. */
export interface FailingProgram {
  readonly finding: Finding;
  /** As the workload names it. */
  readonly image: string;
  /** Of its content, where it is known. */
  readonly digest?: string;
  readonly repository: string;
}

/**
 * Of the fault alone, as the program tells it: the same for every workload and every version that shows it, and so the same branch and the same
 * pull request.
 */
export function faultOf(program: FailingProgram): string {
  return evidenceFingerprint(["fault", ...factsOf(program)]);
}

/** Of the fault in the version that runs, for a model: what it was asked about once is not asked again. */
export function codeEvidence(program: FailingProgram, model: string): string {
  // As a digest, because numbers in names do not count.
  const version = createHash("sha256").update(versionOf(program)).digest("hex");
  return evidenceFingerprint(["evidence", model, version, ...factsOf(program)]);
}

/** What runs: by content where that is known, by name otherwise. */
export const versionOf = ({ image, digest }: Pick<FailingProgram, "image" | "digest">): string => digest ?? image;

/** Does its log say anything? Without it there is nothing to look for in the code. */
export function hasLog({ evidence }: Finding): boolean {
  return evidence.some(({ kind, text }) => kind === "log" && text.trim() !== "");
}

/** The program's name, without registry and version. */
export function programName(image: string): string {
  return (parseImage(image)?.repository ?? image).split("/").at(-1) ?? image;
}

function factsOf({ finding, image, repository }: FailingProgram): unknown[] {
  const { symptom } = finding;
  const parsed = parseImage(image);
  const lines = finding.evidence.flatMap(({ kind, text }) => (kind === "log" ? text.split("\n") : []));
  // Addresses differ from one end to the next; what is counted or timed is left out by the fingerprint.
  const steady = new Set(lines.map((line) => line.replaceAll(/\b0x[0-9a-f]+\b/gi, "0x").trim()));
  return [
    repository.toLowerCase(),
    parsed === null ? image : formatImage({ name: parsed.name }),
    symptom.kind,
    symptom.kind === "CrashLoop" ? [symptom.exit, symptom.init, `exit ${symptom.exitCode}`] : [],
    [...steady].toSorted(),
  ];
}
