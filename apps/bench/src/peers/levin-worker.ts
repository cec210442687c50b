import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { initialiseParameters } from "@levin/training";
import { activeWeightBytes } from "./active-cost.ts";
import { peerConfig, peerSizes, type PeerSize } from "./peer-sizes.ts";
import { decodeTokens, printRates, prompt, workerFlags } from "./repeat.ts";

/* A model on one of Levin's backends: `--model` is a checkpoint, or a size for random float32 weights. */

const prefillChunk = 1024;
const flags = workerFlags();
await selectBackend(flags.backend);
const isSize = (name: string): name is PeerSize => (peerSizes as string[]).includes(name);
const model = isSize(flags.model) ? randomModel(flags.model) : await loadModel(flags.model);
const weightBytes = activeWeightBytes(
  [...model.parameters].map(([name, { shape }]) => [name, shape]),
  model.config,
);
const tokens = prompt(flags.length, model.config.vocabSize);
let stateBytes = 0;
await printRates(
  flags,
  async (prefilled) => {
    const state = model.createState(1);
    const feed = async (ids: number[]): Promise<number> => {
      const logits = model.advance(state, { ids: [ids] });
      const numbers = (await logits.data()) as Float32Array;
      logits.dispose();
      return argMax(numbers);
    };
    let next = 0;
    for (let i = 0; i < tokens.length; i += prefillChunk) {
      next = await feed(tokens.slice(i, i + prefillChunk));
    }
    prefilled();
    for (let i = 0; i < decodeTokens; i++) next = await feed([next]);
    stateBytes = state.byteLength;
    state.dispose();
  },
  () => ({ weightBytes, stateBytes }),
);
process.exit();

function argMax(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

function randomModel(size: PeerSize): CausalLanguageModel {
  const config = peerConfig(size);
  return new CausalLanguageModel(config, initialiseParameters(config, 1));
}
