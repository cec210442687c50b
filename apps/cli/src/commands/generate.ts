import { text } from "node:stream/consumers";
import { generate } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import type { Command } from "commander";
import { loadBundle } from "../load-bundle.ts";
import { addGenerationFlags, generationOptions, type GenerationFlags } from "./generation-flags.ts";
import { printStream } from "./print-stream.ts";

/** `levin generate PROMPT`: one answer. */
export function addGenerate(program: Command): void {
  addGenerationFlags(
    program
      .command("generate")
      .description("answer one prompt; without an argument it is read from standard input")
      .argument("[prompt]"),
  )
    .option("--raw", "continue the prompt as it is, without the chat template")
    .option("--json", "print the result as JSON instead of streaming it")
    .action(async (argument: string | undefined, flags: GenerationFlags & { raw?: boolean }) => {
      const prompt = argument ?? (await text(process.stdin));
      const { model, tokenizer, chatTemplate: template } = await loadBundle(flags);
      const ids = flags.raw
        ? tokenizer.encode(prompt)
        : encodeChat(tokenizer, [{ role: "user", content: prompt }], { template });
      const controller = new AbortController();
      process.once("SIGINT", () => controller.abort());
      const stream = generate(model, tokenizer, ids, {
        ...generationOptions(flags),
        signal: controller.signal,
      });
      const result = await printStream(stream, { quiet: flags.json ?? false });
      if (flags.json) console.log(JSON.stringify(result));
    });
}
