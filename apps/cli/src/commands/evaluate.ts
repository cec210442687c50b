import { scoreOf, type Score } from "@levin/tasks";
import type { Command } from "commander";
import { evaluateTasks, type TaskEvaluation } from "../evaluate-tasks.ts";
import { entropySummary } from "../reply-entropy.ts";
import { openCrew, type SpreadFlags } from "../spread/open-crew.ts";
import { readTasks } from "../task-names.ts";
import { addContextEval } from "./evaluate-context.ts";
import { addReasoningEval } from "./evaluate-reasoning.ts";
import { addSuites } from "./evaluate-suite.ts";
import {
  addGenerationFlags,
  generationOptions,
  toCount,
  toNumber,
  type GenerationFlags,
} from "./generation-flags.ts";
import { endOnSignals } from "./running-training.ts";
import { addSpreadFlags } from "./spread-flags.ts";

interface EvalFlags extends GenerationFlags, SpreadFlags {
  tasks?: string;
  count: number;
  problemSeed: number;
  maxDifficulty: number;
  misses?: boolean;
}

/**
 * `levin eval`: on held-out problems of every task and of all together, accuracy by their verifiers, and
 * the mean cross entropy and perplexity of the worked-out replies that a model is taught.
 */
export function addEval(program: Command): void {
  const evaluate = program
    .command("eval")
    .description("accuracy and perplexity on held-out problems of the verifiable tasks")
    .enablePositionalOptions();
  addSuites(evaluate);
  addContextEval(evaluate);
  addReasoningEval(evaluate);
  addSpreadFlags(addGenerationFlags(evaluate))
    .option("--tasks <names>", "tasks, or modules that export one, parted by commas (default: all)")
    .option("--count <n>", "problems of each task", toCount, 50)
    .option("--problem-seed <n>", "seed of the problems", toNumber, 7)
    .option("--max-difficulty <d>", "problems from difficulty 0 to this", toNumber, 1)
    .option("--misses", "print what was answered wrongly")
    .option("--json", "print JSON")
    .action(async (flags: EvalFlags) => {
      const tasks = await readTasks(flags.tasks);
      const crew = await openCrew(flags);
      const { count, problemSeed: seed, maxDifficulty } = flags;
      // What others would go on with is taken back first.
      const signal = flags.redis === undefined ? undefined : endOnSignals();
      const evaluations: TaskEvaluation[] = [];
      try {
        for await (const evaluation of evaluateTasks(crew, tasks, {
          problems: { count, seed, maxDifficulty },
          generation: generationOptions(flags),
          signal,
        })) {
          evaluations.push(evaluation);
          print(resultOf(evaluation.task, [evaluation]), flags.json);
          if (flags.misses) printMisses(evaluation);
        }
      } finally {
        await crew.close();
      }
      if (signal?.aborted) process.exitCode = 130;
      else print(resultOf("all", evaluations), flags.json);
    });
}

type Result = Score & ReturnType<typeof entropySummary>;

function resultOf(name: string, evaluations: readonly TaskEvaluation[]): Result {
  const replies = evaluations.flatMap((each) => each.replies);
  const correct = replies.filter(({ right }) => right).length;
  const entropy = entropySummary(evaluations.map((each) => each.entropy));
  return { ...scoreOf(name, correct, replies.length), ...entropy };
}

function printMisses({ replies }: TaskEvaluation): void {
  for (const { problem, reply, right } of replies) {
    const { prompt, answer } = problem;
    if (!right) console.log(JSON.stringify({ prompt, answer, reply }));
  }
}

function print(result: Result, json: boolean | undefined): void {
  if (json) return console.log(JSON.stringify(result));
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const { task, accuracy, lower, upper, count, perplexity } = result;
  console.log(
    `${task.padEnd(20)} ${percent(accuracy).padStart(8)}   (95 %: ${percent(lower)} to ${percent(upper)}, n = ${count})` +
      `   perplexity ${perplexity.toFixed(4)}`,
  );
}
