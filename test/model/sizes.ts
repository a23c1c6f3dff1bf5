/** Prints what each recorded exchange would send and cost: `npm run model:sizes`. Tokens are estimated; nothing is asked. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseExchange } from "../../src/advice/exchange.ts";
import { costOf, priceOf } from "../../src/advice/prices.ts";

const folder = join(import.meta.dirname, "transcripts");
const rows = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => {
    const { model, replies, characters, outcome } = parseExchange(readFileSync(join(folder, file), "utf8"));
    const price = priceOf(model, {});
    if (price === null) throw new Error(`${model} has no price`);
    const used = replies.flatMap((said) => ("reply" in said ? [said.reply.usage] : []));
    const dollars = used.reduce((sum, usage) => sum + costOf(usage, price), 0);
    const read = used.reduce(
      (sum, usage) => sum + usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      0,
    );
    const written = used.reduce((sum, usage) => sum + usage.outputTokens, 0);
    return { kind: file.replace(".json", ""), requests: replies.length, characters, read, written, dollars, outcome };
  });
const cell = (text: unknown, width: number): string => String(text).padStart(width);
console.log(`${"incident".padEnd(20)} requests  characters  tokens in  tokens out    dollars`);
for (const row of rows)
  console.log(
    `${row.kind.padEnd(20)} ${cell(row.requests, 8)}  ${cell(row.characters, 10)}  ${cell(row.read, 9)}  ${cell(row.written, 10)}  ${cell(row.dollars.toFixed(4), 9)}  ${row.outcome.slice(0, 70)}`,
  );
