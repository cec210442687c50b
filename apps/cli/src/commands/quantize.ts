import { planModel } from "@levin/model";
import { readConfig } from "@levin/model/node";
import { InvalidArgumentError, type Command } from "commander";
import { modelDirectory } from "../load-bundle.ts";
import { quantizeModel } from "../quantize-model.ts";

interface QuantizeFlags {
  bits: 8 | 4;
  output: string;
  json?: boolean;
}

/** `levin quantize [MODEL]`: a copy of a model with its large matrices in int8 or int4. */
export function addQuantize(program: Command): void {
  program
    .command("quantize")
    .description("write a copy of a model with its large matrices in 8 or 4 bits")
    .argument("[model]", "model directory (default: spark)")
    .requiredOption("--bits <n>", "8 or 4", toBits)
    .requiredOption("--output <directory>", "where the copy goes")
    .option("--json", "print JSON")
    .action(async (model: string | undefined, { bits, output, json }: QuantizeFlags) => {
      const source = modelDirectory(model);
      const before = planModel(await readConfig(source), []).weightBytes;
      const showsProgress = !json && process.stderr.isTTY;
      const config = await quantizeModel(source, output, {
        bits,
        onTensor: ({ done, total }) => {
          if (showsProgress) process.stderr.write(`\r${done} of ${total} tensors`);
        },
      });
      if (showsProgress) process.stderr.write("\n");
      const result = {
        output,
        bits,
        bytes: planModel(config, []).weightBytes[`int${bits}`],
        float32Bytes: before.float32,
        bfloat16Bytes: before.bfloat16,
      };
      if (json) console.log(JSON.stringify(result));
      else {
        const share = ((100 * result.bytes) / result.bfloat16Bytes).toFixed(0);
        console.log(`${output}: int${bits}, ${share} % of the bytes of bfloat16`);
      }
    });
}

function toBits(text: string): 8 | 4 {
  if (text === "8") return 8;
  if (text === "4") return 4;
  throw new InvalidArgumentError(`expected 8 or 4, found "${text}"`);
}
