import { parseArgs } from "node:util";
import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel } from "@levin/model";
import { initialiseParameters } from "@levin/training";
import { peerConfig, type PeerSize } from "./peer-sizes.ts";

/*
 * One measurement in a process of its own, so that its memory is its own: a whole prompt, then
 * tokens one after another, both repeated after one warm-up. Prints a line of JSON.
 */

const decodeTokens = 48;
const prefillChunk = 1024;
const { values } = parseArgs({
  options: {
    backend: { type: "string" },
    size: { type: "string" },
    length: { type: "string" },
    repeats: { type: "string" },
  },
});
const { backend = "wasm", size = "25M", length = "512", repeats = "3" } = values;

await selectBackend(backend);
const config = peerConfig(size as PeerSize);
const model = new CausalLanguageModel(config, initialiseParameters(config, 1));
const prompt = Array.from({ length: Number(length) }, (_, i) => (7 * i + 1) % config.vocabSize);
const prefill: number[] = [];
const decode: number[] = [];
for (let run = 0; run <= Number(repeats); run++) {
  const state = model.createState(1);
  const feed = (ids: number[]): Float32Array => {
    const logits = model.advance(state, { ids: [ids] });
    const numbers = logits.dataSync() as Float32Array;
    logits.dispose();
    return numbers;
  };
  const started = performance.now();
  let last = new Float32Array();
  for (let i = 0; i < prompt.length; i += prefillChunk)
    last = feed(prompt.slice(i, i + prefillChunk)) as never;
  const prefilled = performance.now();
  for (let i = 0; i < decodeTokens; i++) last = feed([last.indexOf(Math.max(...last))]) as never;
  const decoded = performance.now();
  state.dispose();
  if (run === 0) continue;
  prefill.push((1000 * prompt.length) / (prefilled - started));
  decode.push((1000 * decodeTokens) / (decoded - prefilled));
}
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ prefill, decode, peakMiB }));
