import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The programs of some names that can be executed, in the order of their names and of the PATH. */
export async function* executables(names: readonly string[], path: string): AsyncGenerator<string> {
  for (const name of names)
    for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
      const file = join(folder, name);
      const executable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (executable) yield file;
    }
}
