import type { ModelState, NextTokenModel, TokenBatch } from "@levin/model";
import { Tokenizer, m1ChatTemplate, m1SpecialTokens, trainTokenizer } from "@levin/tokenizer";
import * as tf from "@tensorflow/tfjs-core";
import type { LoadedModel } from "../served-model.ts";

/** What is said to the text of a conversation; may begin with a thought. */
export type Script = (conversation: string) => string | Endless;

/** A text that is said again and again, until somebody ends it. */
export interface Endless {
  again: string;
}

/** Tokens of one conversation, split into the prompt and what was said since. */
interface Row {
  prompt: number[];
  said: number[];
  /** What the script says to this prompt; worked out when it is first needed. */
  reply?: Reply;
}

interface Reply {
  ids: readonly number[];
  isEndless: boolean;
}

class ScriptState implements ModelState {
  readonly rows: Row[];

  constructor(rows: readonly Row[]) {
    this.rows = rows.map((row) => ({ ...row, prompt: [...row.prompt], said: [...row.said] }));
  }
  get batch(): number {
    return this.rows.length;
  }
  get length(): number {
    return Math.max(...this.rows.map(({ prompt, said }) => prompt.length + said.length));
  }
  get byteLength(): number {
    return this.batch * this.length * 4;
  }
  clone(): ScriptState {
    return new ScriptState(this.rows);
  }
  regroup(rows: readonly number[], others: readonly ScriptState[] = []): ScriptState {
    const chosen = rows.map((row) => this.rows[row]!);
    return new ScriptState([...chosen, ...others.flatMap((other) => other.rows)]);
  }
  serialize(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.rows));
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

  createState(batch: number): ScriptState {
    return new ScriptState(Array.from({ length: batch }, () => ({ prompt: [], said: [] })));
  }

  deserializeState(bytes: Uint8Array): ScriptState {
    return new ScriptState(JSON.parse(new TextDecoder().decode(bytes)) as Row[]);
  }

  advance(state: ScriptState, tokens: TokenBatch): tf.Tensor2D {
    const logits = state.rows.map((row, i) => tf.tensor1d(this.#logits(row, tokens.ids[i]!)));
    const stacked = tf.stack(logits) as tf.Tensor2D;
    tf.dispose(logits);
    return stacked;
  }

  #logits(row: Row, ids: readonly number[]): Float32Array {
    // Prompts come in larger pieces, answers token by token.
    const isSaid = row.prompt.length > 0 && ids.length === 1;
    if (isSaid) row.said.push(...ids);
    else {
      // An earlier answer belongs to the prompt of the next one.
      row.prompt.push(...row.said.splice(0), ...ids);
      delete row.reply;
    }
    const length = row.prompt.length + row.said.length;
    const logits = new Float32Array(this.config.vocabSize);
    // Uneven noise, so that the runners-up differ too.
    for (const id of logits.keys()) logits[id] = Math.sin(id * 12.9898 + length);
    logits[this.#next(row)]! += 8;
    return logits;
  }

  #next(row: Row): number {
    const { said, prompt } = row;
    const tokenizer = this.#tokenizer;
    const [end] = this.config.eosTokenId;
    const { ids: reply, isEndless } = (row.reply ??= this.#reply(tokenizer.decode(prompt)));
    if (isEndless) return reply[said.length % reply.length]!;
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

  #reply(conversation: string): Reply {
    const text = this.#script(conversation);
    if (typeof text === "string") return { ids: this.#tokenizer.encode(text), isEndless: false };
    return { ids: this.#tokenizer.encode(text.again), isEndless: true };
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
): LoadedModel {
  return {
    model: new ScriptedModel(tokenizer, script, context),
    tokenizer,
    chatTemplate: m1ChatTemplate,
    modelId: "scripted",
  };
}
