import { messageOf } from "../errors.ts";
import type { Commit, Location } from "../model.ts";
import type { Checkout, Log } from "../ports.ts";

/** Places whose last writer is named. */
const MOST = 5;

/** Who wrote the lines: useful, never worth failing for. */
export async function blameOf(
  locations: readonly Location[],
  checkout: Pick<Checkout, "blame">,
  log: Pick<Log, "debug">,
): Promise<{ location: Location; commit: Commit }[]> {
  const out: { location: Location; commit: Commit }[] = [];
  for (const location of locations.slice(0, MOST)) {
    const commit = await checkout.blame(location.file, location.line).catch((error: unknown) => {
      log.debug("no blame", { file: location.file, error: messageOf(error) });
      return null;
    });
    if (commit !== null) out.push({ location, commit });
  }
  return out;
}
