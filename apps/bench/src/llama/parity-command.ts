import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertToGguf, loadText, modelDirectory } from "@levin/cli";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel, CausalModelState } from "@levin/model";
import { loadModel, type GgufType } from "@levin/model/node";
import { encodeChat, renderChat } from "@levin/tokenizer";
import type { Command } from "commander";
import { describeMachine } from "../machine.ts";
import { toNumber, toNumbers } from "../number-flags.ts";
import { hasPeer } from "../peers/peer-packages.ts";
import { questions } from "../server/questions.ts";
import { argMax, compareLogits, type Nearness } from "./compare-logits.ts";
import { LlamaModel, nextLogits, type LlamaContextOptions } from "./node-llama-cpp.ts";

interface ParityFlags {
  model?: string;
  prompts: number;
  lengths: number[];
  tokens: number;
  backend: string;
}

/** A prompt as text, and as Levin's tokens. */
interface Prompt {
  text: string;
  ids: number[];
}

/** The first computes as Levin does; the others are what people run. */
const settings: { type: GgufType; isExact: boolean }[] = [
  { type: "f32", isExact: true },
  { type: "f32", isExact: false },
  { type: "q8_0", isExact: false },
];

/** `npm run bench -- llama-parity`: the same model in Levin and in llama.cpp, logit by logit. */
export function addLlamaParity(program: Command): void {
  program
    .command("llama-parity")
    .description("logits and greedy tokens of one model in Levin and in llama.cpp (setup:peers)")
    .option("--model <directory>", "a model that levin convert takes (default: spark)")
    .option("--prompts <n>", "questions of each length", toNumber, 8)
    .option("--lengths <n,…>", "tokens of the prompts, about", toNumbers, [64, 1024, 4096])
    .option("--tokens <n>", "of each answer", toNumber, 64)
    .option("--backend <name>", "of Levin", "wasm")
    .action(async (flags: ParityFlags) => {
      if (!hasPeer("node-llama-cpp")) {
        throw new Error('node-llama-cpp is not installed; run "npm run setup:peers"');
      }
      await selectBackend(flags.backend);
      const directory = modelDirectory(flags.model);
      const folder = await mkdtemp(join(tmpdir(), "levin-llama-"));
      try {
        await compareAll(directory, folder, flags);
      } finally {
        await rm(folder, { recursive: true });
      }
      // Threads of llama.cpp would keep the process.
      process.exit();
    });
}

async function compareAll(directory: string, folder: string, flags: ParityFlags): Promise<void> {
  const { prompts: count, lengths, tokens, backend } = flags;
  const model = await loadModel(directory);
  const byLength: [number, Prompt[]][] = [];
  for (const length of lengths)
    byLength.push([length, await makePrompts(directory, length, count)]);
  console.log(
    `${describeMachine()}, Levin (${backend}, float32) and llama.cpp, ${tokens} tokens after each of ${count} prompts\n`,
  );
  console.log(
    "| llama.cpp's weights | softmax attention | tokens of a prompt | prompts tokenised alike | same likeliest token | greatest difference of a logit | mean divergence, nats |",
  );
  console.log(`| --- | --- |${" ---: |".repeat(5)}`);
  for (const { type, isExact } of settings) {
    const file = join(folder, `${type}.gguf`);
    await convertToGguf(directory, file, type);
    const llama = await LlamaModel.load(file, 1);
    for (const [length, prompts] of byLength) {
      const contextSize = Math.max(...prompts.map(({ ids }) => ids.length)) + tokens + 1;
      const options = { contextSize, threads: 1, isExact };
      const found: Nearness[] = [];
      for (const { ids } of prompts) {
        found.push(...(await compareAnswers(model, llama, { ids, tokens, options })));
      }
      const alike = prompts.filter(({ text, ids }) => llama.encode(text).join() === ids.join());
      const agreeing = found.filter(({ agree }) => agree).length;
      const cells = [
        ...[type, isExact ? "float32" : "float16", length.toLocaleString("en")],
        `${alike.length} of ${count}`,
        `${agreeing.toLocaleString("en")} of ${found.length.toLocaleString("en")}`,
        Math.max(...found.map(({ logit }) => logit)).toExponential(1),
        (found.reduce((sum, { divergence }) => sum + divergence, 0) / found.length).toExponential(
          1,
        ),
      ];
      console.log(`| ${cells.join(" | ")} |`);
      for (const { margin } of found.filter(({ agree }) => !agree)) {
        process.stderr.write(
          `${type} at ${length}: differ where the margin is ${margin.toFixed(4)}\n`,
        );
      }
    }
  }
  model.dispose();
}

/** Chats that end where the answer begins, of so many tokens at least. */
async function makePrompts(directory: string, length: number, count: number): Promise<Prompt[]> {
  const { tokenizer, chatTemplate: template } = await loadText(directory);
  const question = questions(length);
  const encode = (content: string): Prompt => {
    const messages = [{ role: "user" as const, content }];
    const options = { template, addGenerationPrompt: true };
    return { text: renderChat(messages, options), ids: encodeChat(tokenizer, messages, options) };
  };
  return Array.from({ length: count }, () => {
    let content = question();
    while (encode(content).ids.length < length) content += `\n${question()}`;
    return encode(content);
  });
}

/** Both read the same prompt and then, one by one, what Levin holds for likeliest. */
async function compareAnswers(
  model: CausalLanguageModel,
  llama: LlamaModel,
  { ids, tokens, options }: { ids: number[]; tokens: number; options: LlamaContextOptions },
): Promise<Nearness[]> {
  const state = model.createState(1);
  const context = await llama.open(options);
  try {
    const found: Nearness[] = [];
    let fed = ids;
    for (let i = 0; i < tokens; i++) {
      const ours = await advance(model, state, fed);
      found.push(compareLogits(ours, await nextLogits(context.sequence, fed)));
      fed = [argMax(ours)];
    }
    return found;
  } finally {
    state.dispose();
    await context.close();
  }
}

async function advance(
  model: CausalLanguageModel,
  state: CausalModelState,
  ids: number[],
): Promise<Float32Array> {
  const logits = model.advance(state, { ids: [ids] });
  const numbers = (await logits.data()) as Float32Array;
  logits.dispose();
  return numbers;
}
