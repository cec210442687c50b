import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContextReport } from "@levin/evaluation";
import type { Command } from "commander";
import { depthPlot, lengthPlot } from "./context-plots.ts";

/** `npm run bench -- context`: plots of a report of `levin eval long`. */
export function addContextPlots(program: Command): void {
  program
    .command("context")
    .description("plot a report of levin eval long: by length and depth, and memory")
    .argument("<report>", "its report.json")
    .requiredOption("--output <directory>", "where long-depths.svg and long-lengths.svg go")
    .action(async (path: string, { output }: { output: string }) => {
      const report = JSON.parse(await readFile(path, "utf8")) as ContextReport;
      await writeFile(join(output, "long-depths.svg"), await depthPlot(report));
      await writeFile(join(output, "long-lengths.svg"), await lengthPlot(report));
    });
}
