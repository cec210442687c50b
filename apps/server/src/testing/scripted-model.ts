import type { ModelState, NextTokenModel, TokenBatch } from "@levin/model";
import { Tokenizer, m1ChatTemplate, m1SpecialTokens, trainTokenizer } from "@levin/tokenizer";
import * as tf from "@tensorflow/tfjs-core";
import type { ServedModel } from "../served-model.ts";

/** What the model says to the text of a conversation; may begin with a thought. */
export type Script = (conversation: string) => string;

/** Tokens so far, split into the prompt and what was said since. */
class ScriptState implements ModelState {
  readonly batch = 1;
  prompt: number[] = [];
  said: number[] = [];
  /** What the script says to this prompt; worked out when it is first needed. */
  reply: number[] | undefined;

  get length(): number {
    return this.prompt.length + this.said.length;
  }
  get byteLength(): number {
    return this.length * 4;
  }
  clone(): ScriptState {
    const copy = new ScriptState();
    copy.prompt = [...this.prompt];
    copy.said = [...this.said];
    return copy;
  }
  serialize(): Uint8Array {
    const { prompt, said } = this;
    return new Uint8Array(Uint32Array.from([prompt.length, ...prompt, ...said]).buffer);
  }
  dispose(): void {}
}

/**
 * A real next-token model without weights: its logits favour the next token of a script's reply by
 * a margin that a high temperature can overcome, so sampling, seeds and log-probabilities have
 * meaning.
 */
class ScriptedModel implements NextTokenModel<ScriptState> {
  readonly config;
  readonly #tokenizer: Tokenizer;
  readonly #script: Script;

  constructor(tokenizer: Tokenizer, script: Script, context: number) {
    this.#tokenizer = tokenizer;
    this.#script = script;
    this.config = {
      vocabSize: tokenizer.vocabSize,
      maxPositionEmbeddings: context,
      eosTokenId: [tokenizer.tokenToId("<end_of_sentence>")!],
    };
  }

  createState(): ScriptState {
    return new ScriptState();
  }

  deserializeState(bytes: Uint8Array): ScriptState {
    const [length = 0, ...ids] = new Uint32Array(bytes.slice().buffer);
    const state = new ScriptState();
    state.prompt = ids.slice(0, length);
    state.said = ids.slice(length);
    return state;
  }

  advance(state: ScriptState, tokens: TokenBatch): tf.Tensor2D {
    const ids = tokens.ids[0] ?? [];
    // Prompts come in larger pieces, answers token by token.
    const isSaid = state.prompt.length > 0 && ids.length === 1;
    (isSaid ? state.said : state.prompt).push(...ids);
    const logits = new Float32Array(this.config.vocabSize);
    // Uneven noise, so that the runners-up differ too.
    for (const id of logits.keys()) logits[id] = Math.sin(id * 12.9898 + state.length);
    logits[this.#next(state)]! += 8;
    return tf.tensor2d(logits, [1, logits.length]);
  }

  #next(state: ScriptState): number {
    const { said, prompt } = state;
    const tokenizer = this.#tokenizer;
    const [end] = this.config.eosTokenId;
    const reply = (state.reply ??= tokenizer.encode(this.#script(tokenizer.decode(prompt))));
    const close = tokenizer.tokenToId("</think>")!;
    const closed = said.lastIndexOf(close);
    if (closed < 0) return reply[said.length] ?? end!;
    // A thought may be closed early; the answer starts after the line breaks that follow.
    const answer = this.#withoutLineBreaks(reply.slice(reply.indexOf(close) + 1));
    const answered = this.#withoutLineBreaks(said.slice(closed + 1));
    // The line breaks before the answer come first, where the thought ended by itself.
    const scripted = closed === reply.indexOf(close) && answered.length === 0;
    return (scripted ? reply[said.length] : answer[answered.length]) ?? end!;
  }

  #withoutLineBreaks(ids: readonly number[]): number[] {
    const first = ids.findIndex((id) => this.#tokenizer.decode([id]).trim() !== "");
    return first < 0 ? [] : ids.slice(first);
  }
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
