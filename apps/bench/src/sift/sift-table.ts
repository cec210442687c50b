import { ways, type SiftResult, type Way } from "./measure-sift.ts";
import { meanOf, pairedDifference, type Interval } from "./paired-difference.ts";

/** Everything that was measured, and what decided it. */
export interface SiftRecord {
  date: string;
  machine: string;
  backend: string;
  model: string;
  options: { pool: number; steps: number };
  pools: Pool[];
}

interface Pool {
  /** Of every example. */
  copies: number;
  /** One of each prompt. */
  results: Record<Way, SiftResult>[];
}

/** A table of every pool: means of each way, and SIFT's differences to it over the same prompts. */
export function siftTables({ options: { pool, steps }, pools }: SiftRecord): string {
  return pools
    .map(({ copies, results }) => {
      const title = `${pool / copies} different examples, ${copies} of each; ${results.length} prompts, ${steps} steps`;
      return `${title}\n\n${siftTable(results)}`;
    })
    .join("\n\n");
}

function siftTable(results: Pool["results"]): string {
  const column = (way: Way, of: (result: SiftResult) => number): number[] =>
    results.map((result) => of(result[way]));
  const rows = ways.map((way) => {
    const mean = (of: (result: SiftResult) => number): number => meanOf(column(way, of));
    const difference = pairedDifference(
      column("SIFT", ({ bits }) => bits),
      column(way, ({ bits }) => bits),
    );
    const cells = [
      way,
      mean(({ bits }) => bits).toFixed(3),
      way === "SIFT" ? "" : inWords(difference),
      `${(100 * mean(({ correct }) => Number(correct))).toFixed(0)} %`,
      mean(({ distinct }) => distinct).toFixed(1),
      `${(100 * mean(({ sameTask }) => sameTask)).toFixed(0)} %`,
      mean(({ seconds }) => seconds).toFixed(2),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| examples | bits/token | SIFT's difference | right answers | different examples | of the prompt's task | seconds |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows,
  ].join("\n");
}

function inWords({ mean, lower, upper }: Interval): string {
  const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;
  return `${signed(mean)} (${signed(lower)} to ${signed(upper)})`;
}
