import { text } from "node:stream/consumers";
import { generate, sampleAnswers } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import { Option, type Command } from "commander";
import { loadBundle } from "../load-bundle.ts";
import {
  addGenerationFlags,
  generationOptions,
  toNumber,
  type GenerationFlags,
} from "./generation-flags.ts";
import { printSamples } from "./print-samples.ts";
import { printStream } from "./print-stream.ts";
import { addTuneFlags, modelForPrompt, type TuneFlags } from "./tune-on.ts";

interface GenerateFlags extends GenerationFlags, TuneFlags {
  raw?: boolean;
  samples?: number;
  vote?: boolean;
}

/** `levin generate PROMPT`: one answer, or several. */
export function addGenerate(program: Command): void {
  const command = program
    .command("generate")
    .description("answer one prompt; without an argument it is read from standard input")
    .argument("[prompt]");
  addTuneFlags(addGenerationFlags(command))
    .option("--raw", "continue the prompt as it is, without the chat template")
    .option("--samples <n>", "answers from one reading of the prompt, at temperature 1", toNumber)
    .addOption(
      new Option("--vote", "print the answer that most samples agree on (of 16)").implies({
        samples: 16,
      }),
    )
    .option("--json", "print the result as JSON instead of streaming it")
    .action(async (argument: string | undefined, flags: GenerateFlags, self: Command) => {
      const prompt = argument ?? (await text(process.stdin));
      const bundle = await loadBundle(flags);
      const { tokenizer, chatTemplate: template } = bundle;
      const ids = flags.raw
        ? tokenizer.encode(prompt)
        : encodeChat(tokenizer, [{ role: "user", content: prompt }], { template });
      const model = await modelForPrompt(bundle, ids, flags);
      const controller = new AbortController();
      process.once("SIGINT", () => controller.abort());
      const options = { ...generationOptions(flags), signal: controller.signal };
      if (flags.samples !== undefined) {
        // Greedy samples would all be alike, so that is only done when asked for.
        if (self.getOptionValueSource("temperature") === "default") options.temperature = 1;
        const sampling = { ...options, count: flags.samples };
        return printSamples(await sampleAnswers(model, tokenizer, ids, sampling), flags);
      }
      const stream = generate(model, tokenizer, ids, options);
      const result = await printStream(stream, { quiet: flags.json ?? false });
      if (flags.json) console.log(JSON.stringify(result));
    });
}
