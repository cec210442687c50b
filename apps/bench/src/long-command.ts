import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig, type CausalModelState } from "@levin/model";
import { initialiseParameters } from "@levin/training";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { feed, millisecondsOfToken } from "./measure.ts";

interface LongFlags {
  backend: string;
  context: string[];
  chunk: string;
}

const decodeTokens = 64;

/** `npm run bench -- long`: a prompt as long as one likes, fed for real, through two small models. */
export function addLong(program: Command): void {
  program
    .command("long")
    .description("memory and speed while a long context is fed, all-lightning and 7:1")
    .option("--backend <name>", "wasm, webgpu, native, cpu or tensorflow", "wasm")
    .option("--context <n...>", "lengths at which to measure; the last is where feeding ends", [
      ...["1024", "4096", "16384", "65536", "262144", "1048576"],
    ])
    .option("--chunk <n>", "tokens fed at once", "2048")
    .action(async ({ backend, context, chunk }: LongFlags) => {
      await selectBackend(backend);
      console.log(`${describeMachine()}, ${backend}, float32, chunks of ${chunk}\n`);
      console.log(
        "| model | context | fed since the last line, tokens/s | one more token, ms | state | peak memory of the process |",
      );
      console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
      for (const [name, softmaxLayers] of [
        ["all-lightning", 0],
        ["7:1", 1],
      ] as const) {
        const model = smallModel(softmaxLayers);
        const state = model.createState(1);
        for (const length of context.map(Number)) {
          const before = state.length;
          const started = performance.now();
          while (state.length < length) {
            await feed(model, state, Math.min(Number(chunk), length - state.length));
          }
          const rate = (1000 * (length - before)) / (performance.now() - started);
          const cells = [
            ...[name, length.toLocaleString("en"), Math.round(rate).toLocaleString("en")],
            (await timeOfToken(model, state)).toFixed(2),
            `${(state.byteLength / 2 ** 20).toFixed(2)} MiB`,
            `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`,
          ];
          console.log(`| ${cells.join(" | ")} |`);
        }
        state.dispose();
        model.dispose();
      }
    });
}

/** 8 layers of which the last `softmaxLayers` have softmax attention; one head, so that a million tokens are fed in minutes. */
function smallModel(softmaxLayers: number): CausalLanguageModel {
  const config = parseConfig({
    model_type: "minimax_m1",
    vocab_size: 1024,
    hidden_size: 128,
    num_hidden_layers: 8,
    attn_type_list: Array.from({ length: 8 }, (_, i) => (i >= 8 - softmaxLayers ? 1 : 0)),
    num_attention_heads: 1,
    num_key_value_heads: 1,
    head_dim: 32,
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 256,
    layernorm_linear_attention_alpha: 2,
    layernorm_full_attention_alpha: 2,
    layernorm_mlp_alpha: 2,
    postnorm: true,
    max_position_embeddings: 2 ** 21,
  });
  return new CausalLanguageModel(config, initialiseParameters(config, 1));
}

/** Of tokens decoded one after another from a copy of the state. */
async function timeOfToken(model: CausalLanguageModel, state: CausalModelState): Promise<number> {
  const copy = state.clone();
  try {
    return await millisecondsOfToken(model, copy, decodeTokens);
  } finally {
    copy.dispose();
  }
}
