import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { tasksNamed } from "@levin/tasks";
import type { Command } from "commander";
import { describeMachine } from "../machine.ts";
import { toNumber, toNumbers } from "../number-flags.ts";
import { loadReasoner } from "../thinking/reasoner.ts";
import { measureSift, type SiftMeasurementOptions } from "./measure-sift.ts";
import { drawExercises } from "./sift-problems.ts";
import { siftTables, type SiftRecord } from "./sift-table.ts";

interface SiftFlags extends SiftMeasurementOptions {
  backend: string;
  model?: string;
  tasks: string[];
  pool: number;
  copies: number[];
  prompts: number;
  maxDifficulty: number;
  output?: string;
}

/** Tasks that the first spark was not trained on. */
const newTasks = [
  ...["boolean-evaluation", "date-arithmetic", "base-conversion"],
  ...["string-rewriting", "object-tracking", "state-machine"],
];

/** `npm run bench -- sift`: what test-time fine-tuning gains by the way its examples are chosen. */
export function addSift(program: Command): void {
  program
    .command("sift")
    .description("test-time fine-tuning: SIFT, nearest neighbours, random examples, none")
    .option("--backend <name>", "wasm, webgpu, native, cpu or tensorflow", "wasm")
    .option("--model <directory>", "model directory (default: spark)")
    .option("--tasks <names>", "tasks, parted by commas", (text) => text.split(","), newTasks)
    .option("--pool <n>", "examples to choose from", toNumber, 300)
    .option(
      "--copies <n,…>",
      "of every example of a pool; a pool for each number",
      toNumbers,
      [1, 5],
    )
    .option("--prompts <n>", "held-out prompts", toNumber, 36)
    .option("--max-difficulty <d>", "problems from difficulty 0 to this", toNumber, 0.3)
    .option("--steps <n>", "examples for each prompt, a step for each", toNumber, 16)
    .option("--rank <n>", "of the adapter", toNumber, 8)
    .option("--learning-rate <x>", "of each step", toNumber, 0.005)
    .option("--lambda <x>", "of SIFT", toNumber, 1)
    .option("--max-tokens <n>", "of an answer", toNumber, 160)
    .option("--seed <n>", "of pool, prompts and random examples", toNumber, 11)
    .option("--output <directory>", "write sift.json there")
    .action(async (flags: SiftFlags) => {
      const { backend, model, output, ...options } = flags;
      await selectBackend(backend);
      const reasoner = await loadReasoner(model);
      const tasks = tasksNamed(options.tasks);
      const { seed, maxDifficulty } = options;
      const exercises = drawExercises(tasks, reasoner, {
        ...{ count: options.pool, seed, maxDifficulty, split: "train" },
      });
      const prompts = drawExercises(tasks, reasoner, {
        ...{ count: options.prompts, seed: seed + 1, maxDifficulty, split: "held-out" },
      });
      const record: SiftRecord = {
        date: new Date().toISOString(),
        machine: describeMachine(),
        ...{ backend, model: reasoner.name, options, pools: [] },
      };
      for (const copies of options.copies) {
        const different = exercises.slice(0, options.pool / copies);
        const pool = Array.from({ length: copies }, () => different).flat();
        record.pools.push({
          copies,
          results: await measureSift(reasoner, pool, prompts, options),
        });
      }
      console.log(siftTables(record));
      if (output === undefined) return;
      await writeFile(join(output, "sift.json"), `${JSON.stringify(record, null, 2)}\n`);
    });
}
