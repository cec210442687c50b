import { isDeepStrictEqual } from "node:util";
import {
  generationAnswerer,
  glue,
  LikelihoodAnswerer,
  superglue,
  type Answerer,
  type BenchmarkTask,
  type SubmittedPrediction,
} from "@levin/evaluation";
import { askChats, askPrompts } from "../ask-problems.ts";
import { ContextPerformer } from "../benchmark/context-performer.ts";
import { headAnswers } from "../benchmark/learned-head.ts";
import { loadBundle, loadText, modelDirectory, type ModelBundle } from "../load-bundle.ts";
import { replyEntropy } from "../reply-entropy.ts";
import type { AnswerPiece, AskPiece, AskResult, Piece, ResultOf } from "./piece.ts";
import { PolicyDrawer } from "./policy-drawer.ts";

/** Which model does the pieces, and how it is computed. */
export interface PieceModel {
  /** A model directory; spark without. */
  model?: string | undefined;
  backend: string;
  stages?: number | undefined;
}

/** Does pieces in this process, with a model that is loaded when one needs it. */
export class PiecePerformer {
  readonly #model: PieceModel;
  #bundle: Promise<ModelBundle> | undefined;
  /** The latest answerer, with what it answers. */
  #answering: { of: Omit<AnswerPiece, "batches">; answerer: Answerer } | undefined;
  readonly #contexts = new ContextPerformer();
  #drawer: Promise<PolicyDrawer> | undefined;

  constructor(model: PieceModel) {
    this.#model = model;
  }

  async perform(piece: Piece): Promise<ResultOf<Piece>> {
    switch (piece.work) {
      case "ask":
        return this.#ask(piece);
      case "answer":
        return this.#answer(piece);
      case "reply":
        return askChats(await this.#load(), piece.chats, piece.options);
      case "context":
        return this.#contexts.answer(piece, await this.#load());
      case "draw":
        return (await (this.#drawer ??= PolicyDrawer.load(this.#model))).draw(piece);
    }
  }

  async dispose(): Promise<void> {
    this.#answering?.answerer.dispose();
    const bundle = await this.#bundle?.catch(() => undefined);
    await bundle?.model.dispose();
  }

  #load(): Promise<ModelBundle> {
    this.#bundle ??= loadBundle(this.#model);
    return this.#bundle;
  }

  async #ask({ problems, options }: AskPiece): Promise<AskResult> {
    const bundle = await this.#load();
    const entropy = await replyEntropy(bundle, problems);
    const prompts = problems.map(({ prompt }) => prompt);
    return { replies: await askPrompts(bundle, prompts, options), entropy };
  }

  async #answer({ batches, ...of }: AnswerPiece): Promise<SubmittedPrediction[]> {
    if (!this.#answering || !isDeepStrictEqual(this.#answering.of, of)) {
      this.#answering?.answerer.dispose();
      this.#answering = undefined;
      this.#answering = { of, answerer: await this.#answererOf(of) };
    }
    const predictions: SubmittedPrediction[] = [];
    for (const batch of batches) {
      predictions.push(...(await this.#answering.answerer.answer(batch)));
    }
    return predictions;
  }

  async #answererOf({ suite, task: name, by }: Omit<AnswerPiece, "batches">): Promise<Answerer> {
    const task = taskOf(suite, name);
    if (by.method === "head") {
      const { tokenizer } = await loadText(modelDirectory(this.#model.model));
      const encode = (text: string): number[] => tokenizer.encode(text, plainText);
      return headAnswers(task, by, { encode, backend: this.#model.backend });
    }
    const bundle = await this.#load();
    const { examples } = by;
    if (by.method === "likelihood") {
      const encode = (text: string): number[] => bundle.tokenizer.encode(text, plainText);
      return new LikelihoodAnswerer(bundle.model, encode, task, { examples });
    }
    const { maxTokens: maxNewTokens, thinkingBudget } = by;
    const options = {
      ...{ maxNewTokens, temperature: 0 },
      ...(thinkingBudget !== undefined && { thinkingBudget }),
    };
    return generationAnswerer(task, (prompts) => askPrompts(bundle, prompts, options), {
      examples,
    });
  }
}

/** Texts of a benchmark contain no marks of a chat. */
export const plainText = { parseSpecialTokens: false };

function taskOf(suite: AnswerPiece["suite"], name: string): BenchmarkTask {
  const { tasks } = { glue, superglue }[suite];
  return tasks.find((task) => task.name === name)!;
}
