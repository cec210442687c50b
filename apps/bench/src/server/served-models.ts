import { join } from "node:path";
import { convertToGguf, modelDirectory, quantizeModel } from "@levin/cli";
import { hybridDirectory, hybridGguf, llamaTypes } from "../peers/model-files.ts";
import { peerSizes, type PeerSize } from "../peers/peer-sizes.ts";

/** The embedded model, or a hybrid with random weights by its parameters. */
export const servedNames = ["spark", ...peerSizes] as const;
export type ServedName = (typeof servedNames)[number];

export type ServedWeights = "float32" | "int8";

/** Directory of a model for Levin; `folder` is for what is made only for this run. */
export async function levinModel(
  name: ServedName,
  weights: ServedWeights,
  folder: string,
): Promise<string> {
  if (name !== "spark") return hybridDirectory(name satisfies PeerSize, bitsOf(weights));
  const source = modelDirectory(undefined);
  if (weights === "float32") return source;
  const output = join(folder, "spark-int8");
  await quantizeModel(source, output, { bits: 8 });
  return output;
}

/** File of the same model for llama.cpp. */
export async function llamaModel(
  name: ServedName,
  weights: ServedWeights,
  folder: string,
): Promise<string> {
  if (name !== "spark") return hybridGguf(name satisfies PeerSize, llamaTypes[weights]);
  const output = join(folder, `spark-${llamaTypes[weights]}.gguf`);
  await convertToGguf(modelDirectory(undefined), output, llamaTypes[weights]);
  return output;
}

/** The large matrices' bits on disk; Levin widens those of 16. */
function bitsOf(weights: ServedWeights): 16 | 8 {
  return weights === "float32" ? 16 : 8;
}
