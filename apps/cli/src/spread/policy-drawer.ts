import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { loadModel } from "@levin/model/node";
import { answerDrawing, type DrawAnswers, type DrawnAnswer } from "@levin/training";
import { restoreParameters } from "@levin/training/node";
import { loadText, modelDirectory } from "../load-bundle.ts";
import type { PieceModel } from "./perform-piece.ts";
import type { DrawPiece } from "./piece.ts";

/** Draws answers of a policy: a model whose parameters come anew with each iteration. */
export class PolicyDrawer {
  readonly #model: CausalLanguageModel;
  readonly #draw: DrawAnswers;
  /** File of the parameters that the model has. */
  #policy: string | undefined;

  private constructor(model: CausalLanguageModel, draw: DrawAnswers) {
    this.#model = model;
    this.#draw = draw;
  }

  /** Loads the model of which the policies are variants. */
  static async load({ model: option, backend }: PieceModel): Promise<PolicyDrawer> {
    await selectBackend(backend, { otherwise: console.error });
    const directory = modelDirectory(option);
    const { tokenizer } = await loadText(directory);
    const model = await loadModel(directory, { trainable: true });
    return new PolicyDrawer(model, answerDrawing(model, tokenizer));
  }

  async draw({ policy, prompt, groupSize, sampling }: DrawPiece): Promise<DrawnAnswer[]> {
    if (policy !== this.#policy) {
      await restoreParameters(policy, this.#model);
      this.#policy = policy;
    }
    const groups = await this.#draw([prompt], groupSize, sampling);
    return groups[0]!;
  }
}
