import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import {
  CausalLanguageModel,
  ContinuousBatch,
  generate,
  type NextTokenModel,
  type TextTokenizer,
} from "@levin/model";
import { loadModel } from "@levin/model/node";
import { initialiseParameters } from "@levin/training";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { peerConfig } from "./peers/peer-sizes.ts";
import { best, withSpread } from "./with-spread.ts";

interface BatchFlags {
  backend: string;
  rows: string[];
  prompt: string;
  tokens: string;
  repeats: string;
}

type Setting = { name: string; rows: number; run: () => Promise<void>; rates: number[] };

const spark = join(import.meta.dirname, "../../../packages/spark/checkpoint");

/** `npm run bench -- batch`: throughput of many sequences in one decoding step, in one run. */
export function addBatch(program: Command): void {
  program
    .command("batch")
    .description("new tokens per second of 1, 8, 32 sequences in a continuous batch")
    .option("--backend <name>", "wasm, webgpu, cpu or tensorflow", "wasm")
    .option("--rows <n...>", "sequences at once", ["1", "8", "32"])
    .option("--prompt <n>", "tokens of each prompt", "32")
    .option("--tokens <n>", "new tokens of each sequence", "128")
    .option("--repeats <n>", "repetitions after one warm-up", "8")
    .action(async (flags: BatchFlags) => {
      await selectBackend(flags.backend);
      const config = peerConfig("25M");
      const models = {
        spark: await loadModel(spark),
        "25M": new CausalLanguageModel(config, initialiseParameters(config, 1)),
      };
      console.log(
        `${describeMachine()}, ${flags.backend}, float32, ${flags.prompt} prompt and ${flags.tokens} ` +
          `new tokens a sequence, best of ${flags.repeats} (spread to the worst in brackets)\n`,
      );
      console.log("| model | sequences at once | new tokens/s | against one alone |");
      console.log("| --- | ---: | ---: | ---: |");
      for (const [name, model] of Object.entries(models)) {
        const settings = settingsOf(endless(model), flags);
        // All settings take turns, so that a drift of the machine meets each.
        for (let repeat = 0; repeat <= Number(flags.repeats); repeat++) {
          for (const setting of settings) {
            const rate = await measure(setting, Number(flags.tokens));
            if (repeat > 0) setting.rates.push(rate);
          }
        }
        for (const { name: how, rates } of settings) {
          const ratio = best(rates) / best(settings[0]!.rates);
          console.log(`| ${name} | ${how} | ${withSpread(rates)} | ${ratio.toFixed(2)} × |`);
        }
        model.dispose();
      }
    });
}

/** `generate` for one, and batches of each size. */
function settingsOf(model: NextTokenModel, flags: BatchFlags): Setting[] {
  const options = { maxNewTokens: Number(flags.tokens) };
  const prompt = (row: number): number[] =>
    Array.from({ length: Number(flags.prompt) }, (_, i) => (31 * row + 7 * i + 1) % 256);
  const alone: Setting = {
    name: "1, `generate`",
    rows: 1,
    run: () => drain(generate(model, idsOnly, prompt(0), options)),
    rates: [],
  };
  const batches = flags.rows.map(Number).map((rows): Setting => {
    const batch = new ContinuousBatch(model, idsOnly, { maxRows: rows });
    const run = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: rows }, (_, row) => drain(batch.add(prompt(row), options))),
      );
    };
    return { name: `${rows}`, rows, run, rates: [] };
  });
  return [alone, ...batches];
}

/** New tokens per second, the time of the prompts included. */
async function measure({ rows, run }: Setting, tokens: number): Promise<number> {
  const started = performance.now();
  await run();
  return (1000 * rows * tokens) / (performance.now() - started);
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** The model without an end of its own, so that every sequence has the same length. */
function endless(model: CausalLanguageModel): NextTokenModel {
  return {
    config: { ...model.config, eosTokenId: [] },
    createState: (batch) => model.createState(batch),
    deserializeState: (bytes) => model.deserializeState(bytes),
    advance: (state, tokens) => model.advance(state as never, tokens),
  };
}

/** Measures no text. */
const idsOnly: TextTokenizer = {
  encode: () => [],
  tokenToId: () => undefined,
  createDecodeStream: () => ({ push: () => "", flush: () => "" }),
};
