import { readFile, writeFile } from "node:fs/promises";
import type { SuiteReport } from "@levin/evaluation";
import type { Command } from "commander";
import { suitePlot } from "./suite-plot.ts";

/** `npm run bench -- suite`: a plot of reports of `levin eval glue` or `superglue`. */
export function addSuitePlot(program: Command): void {
  program
    .command("suite")
    .description("plot reports of levin eval glue or superglue, beside answering all items alike")
    .argument("<report...>", "report.json of runs of one suite")
    .requiredOption("--output <file>", "SVG file")
    .action(async (paths: string[], { output }: { output: string }) => {
      const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
      await writeFile(
        output,
        await suitePlot(texts.map((text) => JSON.parse(text) as SuiteReport)),
      );
    });
}
