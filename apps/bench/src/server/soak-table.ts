import type { MemorySample, SoakResult } from "./soak.ts";

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** What a soak says each minute. */
export function soakLine({ minute, resident, heap, states }: MemorySample, whole: number): string {
  return (
    `minute ${minute}: ${mebibytes(resident)}, heap ${mebibytes(heap)}, ` +
    `states ${mebibytes(states)}; ${whole.toLocaleString("en")} turns`
  );
}

/** A markdown table of the memory at ten times of a soak, and its growth. */
export function soakTable({ memory, slope, whole, lost, done }: SoakResult): string {
  const step = Math.max(1, Math.floor(memory.length / 10));
  const kinds = Object.entries(done).map(
    ([kind, count]) => `${count.toLocaleString("en")} ${kind}`,
  );
  return [
    "| minute | memory of the process | JavaScript heap | states |",
    "| ---: | ---: | ---: | ---: |",
    ...memory
      .filter(({ minute }) => minute % step === 0)
      .map(({ minute, resident, heap, states }) => {
        return `| ${[minute, ...[resident, heap, states].map(mebibytes)].join(" | ")} |`;
      }),
    "",
    `${whole.toLocaleString("en")} turns (${kinds.join(", ")}), ${lost.length} lost; ` +
      `in the second half the memory grew by ${(slope / 2 ** 20).toFixed(1)} MiB an hour.`,
  ].join("\n");
}
