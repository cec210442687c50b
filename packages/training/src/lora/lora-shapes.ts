import type { CausalLanguageModel } from "@levin/model";
import { factorName, LoraError, type LoraAdapter } from "./lora-adapter.ts";

/** All projections of both kinds of attention. */
export const attentionTargets: readonly string[] = [
  ...["qkv_proj", "output_gate", "out_proj"],
  ...["q_proj", "k_proj", "v_proj", "o_proj"],
];

/** The three matrices of each expert. */
export const expertTargets: readonly string[] = ["w1", "w2", "w3"];

/** A matrix of the model by the name of its module, `[out, in]`. */
interface TargetMatrix {
  module: string;
  shape: [number, number];
}

/**
 * The matrices that targets name: by the full or the last part of a module's name. A target that
 * only another kind of attention has is passed over when others are found.
 *
 * @throws LoraError when nothing is found, or it is quantised
 */
export function targetMatrices(
  model: CausalLanguageModel,
  targets: readonly string[],
): TargetMatrix[] {
  const names = [...model.parameters.keys()].filter((name) =>
    targets.some((target) => `.${name}`.endsWith(`.${target}.weight`)),
  );
  if (names.length === 0) {
    throw new LoraError(`adapter: expected targets among the model's matrices, found [${targets}]`);
  }
  return names.map((name) => ({
    module: name.replace(/\.weight$/, ""),
    shape: matrixShape(model, name),
  }));
}

type NamedShape = [name: string, shape: [number, number]];

/** Names and shapes of a matrix's factors. */
export function factorShapes(
  { module, shape: [rows, columns] }: TargetMatrix,
  rank: number,
): [a: NamedShape, b: NamedShape] {
  return [
    [factorName(module, "lora_A"), [rank, columns]],
    [factorName(module, "lora_B"), [rows, rank]],
  ];
}

/** @throws LoraError unless each factor of the adapter fits a float matrix of the model */
export function expectFits(
  model: CausalLanguageModel,
  { modules, parameters, rank }: LoraAdapter,
): void {
  if (modules.length === 0 || parameters.size !== 2 * modules.length) {
    throw new LoraError(
      `adapter: expected two factors for each of its modules, found ${parameters.size} for ${modules.length}`,
    );
  }
  for (const module of modules) {
    const shape = matrixShape(model, `${module}.weight`);
    for (const [name, expected] of factorShapes({ module, shape }, rank)) {
      const found = parameters.get(name)?.shape;
      if (found?.join() !== expected.join()) {
        throw new LoraError(
          `${name}: expected [${expected}], found ${found ? `[${found}]` : "none"}`,
        );
      }
    }
  }
}

function matrixShape(model: CausalLanguageModel, name: string): [number, number] {
  const tensor = model.parameters.get(name);
  if (tensor?.dtype !== "float32" || tensor.rank !== 2 || name === "model.embed_tokens.weight") {
    const found = tensor ? `${tensor.dtype} [${tensor.shape}]` : "none";
    throw new LoraError(`${name}: expected a float32 matrix to adapt, found ${found}`);
  }
  return tensor.shape as [number, number];
}
