import type { ModelState, NextTokenModel, TokenBatch } from "@levin/model";
import { Tokenizer, m1ChatTemplate, m1SpecialTokens, trainTokenizer } from "@levin/tokenizer";
import * as tf from "@tensorflow/tfjs-core";
import type { ServedModel } from "../served-model.ts";

/** What the model says to the text of a conversation; may begin with a thought. */
export type Script = (conversation: string) => string;

class HistoryState implements ModelState {
  readonly batch = 1;
  readonly ids: number[] = [];
  get length(): number {
    return this.ids.length;
  }
  get byteLength(): number {
    return this.ids.length * 4;
  }
  clone(): HistoryState {
    const copy = new HistoryState();
    copy.ids.push(...this.ids);
    return copy;
  }
  serialize(): Uint8Array {
    return new Uint8Array(Uint32Array.from(this.ids).buffer);
  }
  dispose(): void {}
}

/**
 * A real next-token model without weights: its logits favour the next token of a script's reply by
 * a margin that temperature 1 can overcome, so sampling, seeds and log-probabilities have meaning.
 */
class ScriptedModel implements NextTokenModel<HistoryState> {
  readonly config;
  readonly #tokenizer: Tokenizer;
  readonly #script: Script;

  constructor(tokenizer: Tokenizer, script: Script, context: number) {
    this.#tokenizer = tokenizer;
    this.#script = script;
    const end = tokenizer.tokenToId("<end_of_sentence>")!;
    this.config = {
      vocabSize: tokenizer.vocabSize,
      maxPositionEmbeddings: context,
      eosTokenId: [end],
    };
  }

  createState(): HistoryState {
    return new HistoryState();
  }

  deserializeState(bytes: Uint8Array): HistoryState {
    const state = new HistoryState();
    state.ids.push(...new Uint32Array(bytes.slice().buffer));
    return state;
  }

  advance(state: HistoryState, tokens: TokenBatch): tf.Tensor2D {
    state.ids.push(...(tokens.ids[0] ?? []));
    const logits = new Float32Array(this.config.vocabSize);
    // Uneven noise, so that the runners-up differ too.
    for (const id of logits.keys()) logits[id] = Math.sin(id * 12.9898 + state.length);
    logits[this.#next(state.ids)]! += 8;
    return tf.tensor2d(logits, [1, logits.length]);
  }

  #next(ids: readonly number[]): number {
    const [end] = this.config.eosTokenId;
    const text = this.#tokenizer.decode(ids);
    const start = text.lastIndexOf(opening) + opening.length;
    const [promptIds, said] = [this.#tokenizer.encode(text.slice(0, start)), text.slice(start)];
    const reply = this.#script(text.slice(0, start));
    const close = "</think>";
    // A thought that was closed early goes on with the answer, not where the script would be.
    const answer = reply.slice(reply.indexOf(close) + close.length).trimStart();
    const rest = said.includes(close)
      ? this.#tokenizer.encode(answer)[this.#tokenizer.encode(afterThought(said)).length]
      : this.#tokenizer.encode(reply)[ids.length - promptIds.length];
    return rest ?? end!;
  }
}

const opening = "ai name=assistant\n";

function afterThought(said: string): string {
  return said.slice(said.lastIndexOf("</think>") + "</think>".length).trimStart();
}

/** A small tokenizer with M1's special tokens, trained on the spot. */
export function smallTokenizer(): Tokenizer {
  const texts = [
    "ai name=assistant\nuser name=user\n",
    "What is the sum of one and two? The sum is",
  ];
  return Tokenizer.fromJson(
    trainTokenizer(texts, { vocabSize: 300, specialTokens: m1SpecialTokens }),
  );
}

/** A served model that answers by a script. */
export function scriptedModel(
  script: Script,
  { context = 1024, tokenizer = smallTokenizer() } = {},
): ServedModel {
  return {
    model: new ScriptedModel(tokenizer, script, context),
    tokenizer,
    chatTemplate: m1ChatTemplate,
    modelId: "scripted",
  };
}
