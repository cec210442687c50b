import { evaluationProblems, scoreOf, type Score } from "@levin/tasks";
import type { Command } from "commander";
import { askProblems } from "../ask-problems.ts";
import { loadBundle } from "../load-bundle.ts";
import { ReplyEntropy } from "../reply-entropy.ts";
import { readTasks } from "../task-names.ts";
import { addSuites } from "./evaluate-suite.ts";
import {
  addGenerationFlags,
  generationOptions,
  toNumber,
  type GenerationFlags,
} from "./generation-flags.ts";

interface EvalFlags extends GenerationFlags {
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
  addGenerationFlags(evaluate)
    .option("--tasks <names>", "tasks, or modules that export one, parted by commas (default: all)")
    .option("--count <n>", "problems of each task", toNumber, 50)
    .option("--problem-seed <n>", "seed of the problems", toNumber, 7)
    .option("--max-difficulty <d>", "problems from difficulty 0 to this", toNumber, 1)
    .option("--misses", "print what was answered wrongly")
    .option("--json", "print JSON")
    .action(async (flags: EvalFlags) => {
      const tasks = await readTasks(flags.tasks);
      const bundle = await loadBundle(flags);
      const total = { count: 0, correct: 0, entropy: new ReplyEntropy(bundle) };
      const { count, problemSeed: seed, maxDifficulty } = flags;
      for (const task of tasks) {
        const entropy = new ReplyEntropy(bundle);
        const problems = evaluationProblems(task, { count, seed, maxDifficulty });
        for (const problem of problems) await entropy.add(problem);
        const replies = await askProblems(bundle, problems, generationOptions(flags));
        const correct = replies.filter(({ right }) => right).length;
        print(resultOf(task.name, correct, count, entropy), flags.json);
        total.count += count;
        total.correct += correct;
        total.entropy.merge(entropy);
        for (const { problem, reply, right } of flags.misses ? replies : []) {
          const { prompt, answer } = problem;
          if (!right) console.log(JSON.stringify({ prompt, answer, reply }));
        }
      }
      print(resultOf("all", total.correct, total.count, total.entropy), flags.json);
    });
}

type Result = Score & ReturnType<ReplyEntropy["summary"]>;

function resultOf(task: string, correct: number, count: number, entropy: ReplyEntropy): Result {
  return { ...scoreOf(task, correct, count), ...entropy.summary() };
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
