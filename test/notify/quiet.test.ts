import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { isQuiet } from "../../src/notify/quiet.ts";

type Hours = { from: string; to: string; days?: string[] };
const quietOf = (timeZone: string, ...hours: Hours[]) => {
  const config = parseConfig(
    JSON.stringify({ notify: { receivers: [{ name: "a", type: "github", quiet: { timeZone, hours } }] } }),
  );
  return config.notify.receivers[0]?.quiet;
};
const at = (text: string): Date => new Date(text);

describe("quiet hours", () => {
  it("are meant in their time zone, and over midnight", () => {
    const quiet = quietOf("Europe/Berlin", { from: "22:00", to: "07:00" });
    // Berlin is two hours ahead in summer, one in winter.
    expect(isQuiet(quiet, at("2026-07-01T19:59:00Z"))).toBe(false);
    expect(isQuiet(quiet, at("2026-07-01T20:00:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-02T04:59:59Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-02T05:00:00Z"))).toBe(false);
    expect(isQuiet(quiet, at("2026-01-01T20:59:00Z"))).toBe(false);
    expect(isQuiet(quiet, at("2026-01-01T21:00:00Z"))).toBe(true);
  });

  it("that begin on a day last into the next", () => {
    const quiet = quietOf("UTC", { from: "22:00", to: "07:00", days: ["fri"] });
    // 2026-07-03 is a Friday.
    expect(isQuiet(quiet, at("2026-07-03T06:00:00Z"))).toBe(false);
    expect(isQuiet(quiet, at("2026-07-03T23:00:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-04T06:59:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-04T22:30:00Z"))).toBe(false);
  });

  it("may be whole days, from Sunday into Monday too", () => {
    const quiet = quietOf(
      "UTC",
      { from: "00:00", to: "24:00", days: ["sat", "sun"] },
      { from: "23:00", to: "01:00", days: ["sun"] },
    );
    expect(isQuiet(quiet, at("2026-07-04T00:00:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-05T23:59:59Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-06T00:59:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-07-06T01:00:00Z"))).toBe(false);
  });

  it("follow the clock when it is put forward and back", () => {
    const quiet = quietOf("Europe/Berlin", { from: "02:00", to: "03:00" });
    // 2026-03-29: 01:59 is followed by 03:00. The hour is left out.
    expect(isQuiet(quiet, at("2026-03-29T00:59:00Z"))).toBe(false);
    expect(isQuiet(quiet, at("2026-03-29T01:00:00Z"))).toBe(false);
    // 2026-10-25: 02:00 to 03:00 comes twice.
    expect(isQuiet(quiet, at("2026-10-25T00:00:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-10-25T01:30:00Z"))).toBe(true);
    expect(isQuiet(quiet, at("2026-10-25T02:00:00Z"))).toBe(false);
  });

  it("end: whatever the period, the zone and the day of the change, a message waits no longer than the period and an hour", () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":"));
    const zones = fc.constantFrom(
      "Europe/Berlin",
      "America/New_York",
      "Australia/Lord_Howe",
      "Asia/Kathmandu",
      "UTC",
      "Pacific/Apia",
    );
    const days = fc.constantFrom("2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-06-15");
    fc.assert(
      fc.property(time, time, zones, days, fc.integer({ min: -1440, max: 1440 }), (from, to, zone, day, offset) => {
        fc.pre(from !== to);
        const quiet = quietOf(zone, { from, to });
        const start = Date.parse(`${day}T12:00:00Z`) + offset * 60_000;
        const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
        const length = (minutes(to) - minutes(from) + 1440) % 1440;
        let waited = 0;
        while (isQuiet(quiet, new Date(start + waited * 60_000))) waited += 1;
        expect(waited).toBeLessThanOrEqual(length + 60);
        // And what the clock on the wall shows decides, nothing else.
        const shown = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(
          start,
        );
        const inside = from < to ? shown >= from && shown < to : shown >= from || shown < to;
        expect(isQuiet(quiet, new Date(start))).toBe(inside);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the configuration of receivers", () => {
  const parse = (receiver: object, more: object = {}): unknown =>
    parseConfig(JSON.stringify({ notify: { receivers: [receiver], ...more } }));
  it.each([
    [{ name: "a", type: "slack" }, /receivers\.0\.channel: is missing/],
    [{ name: "a", type: "slack", channel: "#ops" }, /is no channel id/],
    [
      { name: "a", type: "slack", channel: "C0123456789", url: "https://x.example" },
      /url: is nothing that a receiver of type slack takes/,
    ],
    [{ name: "a", type: "webhook" }, /give either url or urlEnv/],
    [{ name: "a", type: "webhook", url: "ftp://x" }, /is no http or https URL/],
    [{ name: "a", type: "webhook", url: "https://u:p@x.example" }, /holds credentials/],
    [
      { name: "a", type: "webhook", url: "https://x.example", secret: "whsec_x" },
      /unknown key .*known here: .*secretEnv/,
    ],
    [{ name: "A b", type: "github" }, /must be lower-case/],
    [
      { name: "a", type: "github", quiet: { timeZone: "Mars/Phobos", hours: [{ from: "22:00", to: "07:00" }] } },
      /is no IANA time zone/,
    ],
    [{ name: "a", type: "github", quiet: { hours: [{ from: "7:00", to: "25:00" }] } }, /is no time of day/],
    [
      { name: "a", type: "github", quiet: { hours: [{ from: "07:00", to: "07:00" }] } },
      /begins and ends at the same time/,
    ],
    [{ name: "a", type: "github", namespaces: [] }, /nothing would be told/],
  ])("%j is refused with a sentence", (receiver, sentence) => {
    expect(() => parse(receiver)).toThrow(sentence);
  });

  it("two of one name are refused", () => {
    const text = JSON.stringify({
      notify: {
        receivers: [
          { name: "a", type: "github" },
          { name: "a", type: "github" },
        ],
      },
    });
    expect(() => parseConfig(text)).toThrow(/notify\.receivers\.1\.name: a is there twice/);
  });
});
