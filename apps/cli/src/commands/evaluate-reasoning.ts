import type { SampleScore } from "@levin/evaluation";
import { Option, type Command } from "commander";
import {
  runReasoning,
  type ReasoningEvents,
  type ReasoningSettings,
} from "../benchmark/run-reasoning.ts";
import { backendOption } from "./backend-option.ts";
import { toCount, toNumber, wholeFrom } from "./generation-flags.ts";
import { progressBar } from "./progress-bar.ts";
import { endOnSignals, sayStopped } from "./running-training.ts";
import { addSpreadFlags } from "./spread-flags.ts";

type ReasoningFlags = ReasoningSettings & { json?: boolean };

/** `levin eval reasoning`. */
export function addReasoningEval(evaluate: Command): void {
  const command = evaluate
    .command("reasoning")
    .description("GSM8K, MATH and AIME files, or the verifiable tasks; goes on where it stopped");
  addSpreadFlags(command)
    .option("--data <files...>", "JSONL: question or problem with answer (default: the tasks)")
    .option("--examples <file>", "JSONL of the same kinds, for --shots")
    .option(
      "--shots <n>",
      "examples asked and answered before each question of --data",
      wholeFrom(0),
      0,
    )
    .option(
      "--instruction <text>",
      "stands behind each question of --data",
      "\nReason step by step, and put the final answer into \\boxed{}.",
    )
    .addOption(
      new Option(
        "--tasks <names>",
        "tasks, or modules that export one, parted by commas (default: all)",
      ).conflicts("data"),
    )
    .option("--count <n>", "problems of each task (default: 50) or file (default: all)", toCount)
    .option("--problem-seed <n>", "chooses the tasks' problems, and the shots", toNumber, 7)
    .option("--max-difficulty <d>", "tasks: problems from difficulty 0 to this", toNumber, 1)
    .option("--model <directory>", "model directory (default: spark)")
    .addOption(backendOption())
    .option("--output <directory>", "results", "reasoning-results")
    .option("--samples <n>", "replies to each problem, for pass@k and maj@n", toCount, 1)
    .option("--temperature <t>", "0 is greedy", toNumber, 0)
    .option("--seed <n>", "of the samples", toNumber, 0)
    .option("--max-tokens <n>", "new tokens at most", toCount, 1024)
    .option("--thinking-budget <n>", "tokens of thought at most", wholeFrom(0))
    .option("--json", "print the report as JSON")
    .action(async ({ json, ...settings }: ReasoningFlags) => {
      const signal = endOnSignals();
      const report = await runReasoning(settings, { ...showReasoning(json === true), signal });
      if (!report) sayStopped();
      else if (json) console.log(JSON.stringify(report));
      else console.log(`${settings.output}/report.md and report.json`);
    });
}

/** A bar for people who watch, and a line for each task or file. */
function showReasoning(json: boolean): Omit<ReasoningEvents, "signal"> {
  const move = progressBar();
  return {
    onAnswered: (suite, done, all) => move(suite, done, all, "answered"),
    onResult: (score) => {
      if (!json) console.log(describe(score));
    },
  };
}

function describe(score: SampleScore): string {
  const { suite, problems, samples, accuracy, lower, upper, passAt, majority } = score;
  const figures = `${percent(accuracy).padStart(8)}   (95 %: ${percent(lower)} to ${percent(upper)}, n = ${problems})`;
  const line = `${suite.padEnd(20)} ${figures}`;
  if (samples === 1) return line;
  const passes = Object.entries(passAt).slice(1);
  const several = passes.map(([k, chance]) => `pass@${k} ${percent(chance)}`);
  return `${line}   ${several.join("   ")}   maj@${samples} ${percent(majority)}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
