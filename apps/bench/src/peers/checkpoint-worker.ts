import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { quantizeModel } from "@levin/cli";
import { selectBackend } from "@levin/kernels/node";
import { saveCheckpoint } from "@levin/model/node";
import { initialiseParameters } from "@levin/training";
import { peerConfig, type PeerSize } from "./peer-sizes.ts";
import { peerTokenizer } from "./peer-tokenizer.ts";

/* Writes a model with random weights and a tokenizer: `--bits` 16, or as `levin quantize` does. */

const { values } = parseArgs({
  options: { size: { type: "string" }, bits: { type: "string" }, output: { type: "string" } },
});
const { size, bits, output } = values as { size: PeerSize; bits: string; output: string };

await selectBackend("cpu");
const config = peerConfig(size);
const parameters = initialiseParameters(config, 1);
const plain = `${output}-plain`;
await saveCheckpoint(plain, {
  config,
  type: "bfloat16",
  read: async (name) => (await parameters.get(name)!.data()) as Float32Array,
});
await writeFile(join(plain, "tokenizer.json"), JSON.stringify(peerTokenizer()));
if (bits === "16") await rename(plain, output);
else {
  await quantizeModel(plain, output, { bits: bits === "8" ? 8 : 4 });
  await rm(plain, { recursive: true });
}
console.log("{}");
