/** The package has no types of its own. */
declare module "parse-prometheus-text-format" {
  interface Family {
    readonly name: string;
    readonly help: string;
    readonly type: "COUNTER" | "GAUGE" | "HISTOGRAM" | "SUMMARY" | "UNTYPED";
    readonly metrics: readonly { readonly value: string; readonly labels?: Readonly<Record<string, string>> }[];
  }
  const parse: (text: string) => readonly Family[];
  // biome-ignore lint/style/noDefaultExport: that is how the package exports it.
  export default parse;
}
