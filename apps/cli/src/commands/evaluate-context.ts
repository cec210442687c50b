import { contextSuites, type ContextResult } from "@levin/evaluation";
import { Option, type Command } from "commander";
import {
  readDepths,
  readLengths,
  readSuiteNames,
  type ContextSettings,
} from "../benchmark/context-settings.ts";
import { runContext, writeContextChats, type ContextEvents } from "../benchmark/run-context.ts";
import { backendOption } from "./backend-option.ts";
import { toCount, toNumber, wholeFrom } from "./generation-flags.ts";
import { progressBar } from "./progress-bar.ts";
import { endOnSignals, sayStopped } from "./running-training.ts";
import { addSpreadFlags } from "./spread-flags.ts";

interface ContextFlags extends Omit<ContextSettings, "suites" | "lengths" | "depths"> {
  suites: string;
  lengths: string;
  depths: string;
  writeChats?: string;
  json?: boolean;
}

/** `levin eval long`. */
export function addContextEval(evaluate: Command): void {
  const command = evaluate
    .command("long")
    .description("retrieval from long contexts, and the memory it takes; goes on where it stopped");
  addSpreadFlags(command)
    .option("--model <directory>", "model directory (default: spark)")
    .option("--twin <directory>", "another model that is asked the same")
    .addOption(backendOption())
    .option("--output <directory>", "results", "long-results")
    .option("--suites <names>", "parted by commas, or none", Object.keys(contextSuites).join(","))
    .option("--lengths <n>", "tokens of prompt and answer, parted by commas", "1k,2k,4k,8k,16k,32k")
    .option("--depths <percent>", "where answers lie, parted by commas", "0,25,50,75,100")
    .option("--count <n>", "contexts of each length; all questions are asked of each", toCount, 4)
    .option("--needles <n>", "facts, or equal requests, of a context", toCount, 4)
    .addOption(
      new Option("--pairs <form>", "keys and values of key-value")
        .choices(["uuid", "name", "fact"])
        .default("uuid"),
    )
    .option(
      "--mrcr <files...>",
      "OpenAI's MRCR (Parquet or JSONL): --count questions of each length",
    )
    .option("--haystack <file>", "text to hide needles in (default: made-up sentences)")
    .option("--seed <n>", "of everything that is made up", toNumber, 7)
    .option("--thinking-budget <n>", "tokens of thought at most", wholeFrom(0), 64)
    .option(
      "--context-limit <n>",
      "ask up to this length, whatever the model's config says",
      toCount,
    )
    .option("--write-chats <file>", "write questions and answers as chats (JSONL), and ask none")
    .option("--json", "print the report as JSON")
    .action(async ({ suites, lengths, depths, writeChats, json, ...rest }: ContextFlags) => {
      const settings: ContextSettings = {
        ...rest,
        suites: readSuiteNames(suites),
        lengths: readLengths(lengths),
        depths: readDepths(depths),
      };
      if (writeChats !== undefined) {
        const count = await writeContextChats(settings, writeChats);
        console.log(`${count} chats: ${writeChats}`);
        return;
      }
      const signal = endOnSignals();
      const report = await runContext(settings, { ...showContext(json === true), signal });
      if (!report) sayStopped();
      else if (json) console.log(JSON.stringify(report));
      else console.log(`${settings.output}/report.md and report.json`);
    });
}

/** A bar for people who watch, and a line for each suite and length. */
function showContext(json: boolean): Omit<ContextEvents, "signal"> {
  const move = progressBar();
  return {
    onProgress: ({ name }, model, done, all) => move(`${model}, ${name}`, done, all, "answered"),
    onResult: (result, model) => {
      if (!json && result.depth === undefined) console.log(describe(result, model));
    },
    onNotice: (text) => console.error(text),
  };
}

function describe(result: ContextResult, model: string): string {
  const { suite, length, score, chance, count, stateBytes } = result;
  const figures = `${percent(score).padStart(7)}   (chance ${percent(chance)}, n = ${count})`;
  const memory = `state ${(stateBytes / 2 ** 20).toFixed(2)} MiB`;
  return `${model}  ${suite.padEnd(13)} ${String(length).padStart(7)} ${figures}   ${memory}`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
