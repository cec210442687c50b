import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import {
  contextAnswerer,
  contextSuites,
  mrcrFileSuite,
  proseHaystack,
  textHaystack,
  type Answerer,
  type ChatTurn,
  type ContextItem,
  type ContextPrediction,
  type ContextSuite,
} from "@levin/evaluation";
import { readMrcr } from "@levin/evaluation/node";
import type { NextTokenModel } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import type { ModelBundle } from "../load-bundle.ts";
import type { ContextPiece } from "../spread/piece.ts";
import type { ContextSource } from "./context-settings.ts";

/** Asks a model about long contexts, which it makes when they are asked about. */
export class ContextPerformer {
  /** The latest suite, with what it was made from. */
  #latest:
    | {
        of: Pick<ContextPiece, "suite" | "source">;
        answerer: Answerer<ContextItem, ContextPrediction>;
      }
    | undefined;

  async answer(
    { suite: name, source, items }: ContextPiece,
    bundle: ModelBundle,
  ): Promise<ContextPrediction[]> {
    const of = { suite: name, source };
    if (!this.#latest || !isDeepStrictEqual(this.#latest.of, of)) {
      const suite = (await contextSuitesOf(source, bundle)).find((each) => each.name === name)!;
      const model = withContext(bundle.model, source.contextLimit);
      const { thinkingBudget } = source;
      const answerer = contextAnswerer(model, bundle.tokenizer, suite, { thinkingBudget });
      this.#latest = { of, answerer };
    }
    return this.#latest.answerer.answer(items);
  }
}

/** Closing a thought by force takes some tokens beside its budget. */
const closingTokens = 16;

/** The suites that a source names, in tokens of a model. */
export async function contextSuitesOf(
  source: ContextSource,
  { tokenizer, chatTemplate: template }: Omit<ModelBundle, "model">,
): Promise<ContextSuite[]> {
  const { suites, thinkingBudget, haystack, mrcr } = source;
  const text = haystack === undefined ? undefined : await readFile(haystack, "utf8");
  const options = {
    ...source,
    encode: (turns: readonly ChatTurn[]) => encodeChat(tokenizer, turns, { template }),
    haystack: text === undefined ? proseHaystack : textHaystack(text),
    thinkingTokens: thinkingBudget === 0 ? 0 : thinkingBudget + closingTokens,
  };
  const made = suites.map((name) => contextSuites[name](options));
  return mrcr ? [...made, await mrcrFileSuite(readMrcr(mrcr), options)] : made;
}

/** The same model with another limit of its context. */
function withContext(
  model: ModelBundle["model"],
  maxPositionEmbeddings: number | undefined,
): NextTokenModel {
  if (maxPositionEmbeddings === undefined) return model;
  const found: NextTokenModel = model;
  return {
    config: { ...found.config, maxPositionEmbeddings },
    createState: (batch) => found.createState(batch),
    deserializeState: (bytes) => found.deserializeState(bytes),
    advance: (state, tokens) => found.advance(state, tokens),
  };
}
