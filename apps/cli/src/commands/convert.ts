import { stat } from "node:fs/promises";
import type { GgufType } from "@levin/model/node";
import { Option, type Command } from "commander";
import { convertToGguf } from "../convert-to-gguf.ts";
import { modelDirectory } from "../load-bundle.ts";

const types: readonly GgufType[] = ["f32", "f16", "bf16", "q8_0"];

interface ConvertFlags {
  type?: GgufType;
  output: string;
  json?: boolean;
}

/** `levin convert [MODEL] --to gguf`: a model as one file for llama.cpp. */
export function addConvert(program: Command): void {
  program
    .command("convert")
    .description("write a model with its tokenizer and chat template as one file for llama.cpp")
    .argument("[model]", "model directory (default: spark)")
    .addOption(new Option("--to <format>", "format").choices(["gguf"]).makeOptionMandatory())
    .requiredOption("--output <file>", "where the file goes")
    .addOption(
      new Option("--type <type>", "of the matrices (default: as they are stored)").choices(types),
    )
    .option("--json", "print JSON")
    .action(async (model: string | undefined, { type, output, json }: ConvertFlags) => {
      const written = await convertToGguf(modelDirectory(model), output, type);
      const { size: bytes } = await stat(output);
      if (json) console.log(JSON.stringify({ output, type: written, bytes }));
      else console.log(`${output}: ${written}, ${(bytes / 2 ** 20).toFixed(1)} MiB`);
    });
}
