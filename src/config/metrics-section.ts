import { z } from "zod";
import { duration } from "./duration.ts";
import { isHttp, section } from "./values.ts";

/** A URL without a password in it: configuration is no place for secrets. */
const address = (description: string) =>
  z
    .string()
    .default("")
    .refine((text) => text === "" || isHttp(text), "is no http or https URL")
    .refine(
      (text) => !URL.canParse(text) || (new URL(text).username === "" && new URL(text).password === ""),
      "holds a user or password; put them into the environment (docs/metrics.md)",
    )
    .describe(description);

/** `metrics` */
export const metricsSection = section(
  {
    otlp: section(
      {
        endpoint: address(
          "Base URL of an OpenTelemetry receiver (OTLP over http/protobuf), such as `http://otel-collector.monitoring.svc:4318`; `/v1/metrics` is added. Empty: what OTEL_EXPORTER_OTLP_ENDPOINT says, if anything. Headers come from OTEL_EXPORTER_OTLP_HEADERS.",
        ),
      },
      "Export by OTLP.",
    ),
    pushgateway: section(
      {
        url: address(
          "Prometheus Pushgateway, such as `http://pushgateway.monitoring.svc:9091`. Empty: none. Credentials come from STANCH_PUSHGATEWAY_TOKEN, or STANCH_PUSHGATEWAY_USERNAME and STANCH_PUSHGATEWAY_PASSWORD.",
        ),
        job: z
          .string()
          .regex(/^[a-zA-Z0-9_.-]{1,63}$/, "must be letters, digits, dots, dashes and underscores, at most 63")
          .default("stanch")
          .describe("Grouping key `job`; `cluster` and `instance` (Stanch's own namespace) are added."),
      },
      "Export to a Pushgateway.",
    ),
    timeout: duration("5s", "Patience with all receivers together; a run is never held up longer.", "100ms"),
    allowHttp: z
      .boolean()
      .default(false)
      .describe(
        "Send credentials over plain http to hosts other than loopback. Without credentials plain http is allowed.",
      ),
    perIncident: z
      .boolean()
      .default(false)
      .describe("Also tell of each open incident with the names of its namespace and workload (at most 200)."),
  },
  "Metrics of each run. `stanch metrics` prints them whatever this says.",
);
