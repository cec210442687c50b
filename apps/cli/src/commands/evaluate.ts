import { generate } from "@levin/model";
import { allTasks, evaluateTask } from "@levin/tasks";
import { encodeChat } from "@levin/tokenizer";
import type { Command } from "commander";
import { loadBundle } from "../load-bundle.ts";
import {
  addGenerationFlags,
  generationOptions,
  toNumber,
  type GenerationFlags,
} from "./generation-flags.ts";

interface EvalFlags extends GenerationFlags {
  count: number;
  problemSeed: number;
  maxDifficulty: number;
  misses?: boolean;
}

/** `levin eval`: accuracy on held-out problems of every task, by their verifiers. */
export function addEval(program: Command): void {
  addGenerationFlags(
    program.command("eval").description("accuracy on held-out problems of the verifiable tasks"),
  )
    .option("--count <n>", "problems of each task", toNumber, 50)
    .option("--problem-seed <n>", "seed of the problems", toNumber, 7)
    .option("--max-difficulty <d>", "problems from difficulty 0 to this", toNumber, 1)
    .option("--misses", "print what was answered wrongly")
    .option("--json", "print JSON")
    .action(async (flags: EvalFlags) => {
      const { model, tokenizer, chatTemplate: template } = await loadBundle(flags);
      const answer = async (prompt: string): Promise<string> => {
        const ids = encodeChat(tokenizer, [{ role: "user", content: prompt }], { template });
        const stream = generate(model, tokenizer, ids, generationOptions(flags));
        for (;;) {
          const next = await stream.next();
          if (next.done) return next.value.text;
        }
      };
      for (const task of allTasks) {
        const scaled = {
          ...task,
          generate: (...[random, difficulty]: Parameters<typeof task.generate>) =>
            task.generate(random, difficulty * flags.maxDifficulty),
        };
        const { misses, ...result } = await evaluateTask(scaled, answer, {
          count: flags.count,
          seed: flags.problemSeed,
        });
        const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
        console.log(
          flags.json
            ? JSON.stringify(result)
            : `${result.task.padEnd(20)} ${percent(result.accuracy).padStart(8)}   (95 %: ${percent(result.lower)} to ${percent(result.upper)}, n = ${result.count})`,
        );
        for (const { problem, reply } of flags.misses ? misses : []) {
          console.log(JSON.stringify({ prompt: problem.prompt, answer: problem.answer, reply }));
        }
      }
    });
}
