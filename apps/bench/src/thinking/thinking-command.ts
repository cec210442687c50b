import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readTasks } from "@levin/cli";
import { selectBackend } from "@levin/kernels/node";
import { evaluationProblems } from "@levin/tasks";
import type { Command } from "commander";
import { describeMachine } from "../machine.ts";
import { toNumber, toNumbers } from "../number-flags.ts";
import { measureThinking, type ThinkingOptions } from "./measure-thinking.ts";
import { loadReasoner } from "./reasoner.ts";
import { thinkingPlot } from "./thinking-plot.ts";
import type { ThinkingRecord } from "./thinking-record.ts";
import { thinkingTables } from "./thinking-tables.ts";

interface ThinkingFlags extends ThinkingOptions {
  backend: string;
  model?: string;
  twin?: string;
  tasks?: string;
  count: number;
  maxDifficulty: number;
  problemSeed: number;
  output?: string;
}

/** `npm run bench -- thinking`: accuracy against what is spent on an answer, and what it costs. */
export function addThinking(program: Command): void {
  program
    .command("thinking")
    .description("accuracy of held-out problems by thinking budget and by number of samples")
    .option("--backend <name>", "wasm, webgpu, native, cpu or tensorflow", "wasm")
    .option("--model <directory>", "model directory (default: spark)")
    .option("--twin <directory>", "a trained model with softmax attention in every layer")
    .option("--tasks <names>", "tasks, parted by commas (default: all)")
    .option("--count <n>", "problems of each task", toNumber, 50)
    .option("--max-difficulty <d>", "problems from difficulty 0 to this", toNumber, 0.8)
    .option("--problem-seed <n>", "seed of the problems and samples", toNumber, 7)
    .option("--budgets <n,…>", "tokens of thought at most", toNumbers, [0, 32, 128, 512, 2048])
    .option("--answer-tokens <n>", "tokens after the thought at most", toNumber, 128)
    .option("--samples <n,…>", "samples of each problem", toNumbers, [1, 4, 16])
    .option("--temperature <t>", "of the samples", toNumber, 0.8)
    .option("--sample-budget <n>", "tokens of thought of a sample at most", toNumber, 512)
    .option("--timed <n>", "problems to measure seconds on", toNumber, 20)
    .option("--long <n,…>", "contexts at which to time a token", toNumbers, [512, 8192, 32_768])
    .option("--output <directory>", "write thinking.json and thinking.svg there")
    .action(async (flags: ThinkingFlags) => {
      const { backend, output, count, tasks, ...options } = flags;
      const { maxDifficulty, problemSeed: seed } = options;
      const problems = (await readTasks(tasks)).flatMap((task) =>
        evaluationProblems(task, { count, seed, maxDifficulty }),
      );
      await selectBackend(backend);
      const reasoner = await loadReasoner(flags.model);
      const trained = flags.twin === undefined ? undefined : await loadReasoner(flags.twin);
      const record: ThinkingRecord = {
        date: new Date().toISOString(),
        machine: describeMachine(),
        backend,
        model: reasoner.name,
        problems: count,
        maxDifficulty,
        problemSeed: seed,
        temperature: options.temperature,
        sampleBudget: options.sampleBudget,
        timed: Math.min(options.timed, problems.length),
        ...(await measureThinking(reasoner, problems, { ...options, trained })),
      };
      console.log(thinkingTables(record));
      if (output === undefined) return;
      await writeFile(join(output, "thinking.json"), `${JSON.stringify(record, null, 2)}\n`);
      await writeFile(join(output, "thinking.svg"), await thinkingPlot(record));
    });
}
