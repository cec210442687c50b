import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { initialiseParameters } from "@levin/training";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { stateAt } from "./models.ts";
import { toNumber, toNumbers } from "./number-flags.ts";
import { bytes } from "./report.ts";

interface StatesFlags {
  backend: string;
  context: number[];
  repeats: number;
}

const sparkConfig = join(import.meta.dirname, "../../../packages/spark/checkpoint/config.json");
const softmaxLayers = { "all lightning": 0, "7:1, as spark": 1, "all softmax": 8 };

/** `npm run bench -- states`: what it costs to keep, fork and move a conversation. */
export function addStates(program: Command): void {
  program
    .command("states")
    .description("bytes of a saved conversation, and the time to fork, save and restore it")
    .option("--backend <name>", "wasm, native, cpu or tensorflow", "wasm")
    .option("--context <n,…>", "lengths of the conversation", toNumbers, [1024, 16_384, 131_072])
    .option("--repeats <n>", "repetitions after one warm-up", toNumber, 5)
    .action(async ({ backend, context, repeats }: StatesFlags) => {
      await selectBackend(backend);
      const raw = JSON.parse(await readFile(sparkConfig, "utf8")) as object;
      console.log(
        `${describeMachine()}, ${backend}, spark's sizes with random weights, best of ${repeats}\n`,
      );
      console.log("| layers | tokens | saved | fork, ms | save, ms | restore, ms |");
      console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
      for (const [name, count] of Object.entries(softmaxLayers)) {
        const layers = Array.from({ length: 8 }, (_, i) => (i >= 8 - count ? 1 : 0));
        const config = parseConfig({ ...raw, attn_type_list: layers });
        const model = new CausalLanguageModel(config, initialiseParameters(config, 1));
        for (const length of context) {
          const { size, times } = measureState(model, length, repeats);
          const cells = [
            ...[name, length.toLocaleString("en"), bytes(size)],
            ...times.map((milliseconds) =>
              Number(milliseconds.toPrecision(2)).toLocaleString("en"),
            ),
          ];
          console.log(`| ${cells.join(" | ")} |`);
        }
        model.dispose();
      }
    });
}

/** Bytes of a saved state, and the best times of a fork, of saving and of restoring it. */
function measureState(
  model: CausalLanguageModel,
  length: number,
  repeats: number,
): { size: number; times: number[] } {
  const state = stateAt(model, length);
  const saved = state.serialize();
  const works = [
    () => state.clone().dispose(),
    () => state.serialize(),
    () => model.deserializeState(saved).dispose(),
  ];
  const times = works.map((work) => {
    const runs = Array.from({ length: repeats + 1 }, () => {
      const started = performance.now();
      work();
      return performance.now() - started;
    });
    return Math.min(...runs.slice(1));
  });
  state.dispose();
  return { size: saved.byteLength, times };
}
