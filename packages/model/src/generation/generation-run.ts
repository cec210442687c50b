import type { AnswerConstraint } from "../constraints/answer-constraint.ts";
import type { CheckedOptions } from "./generation-options.ts";
import type { Continuation, FinishReason, GenerationResult, TokenEvent } from "./generate.ts";
import { logProbability } from "./logit-filters.ts";
import { logProbabilities } from "./sampler.ts";
import { StopStrings } from "./stop-strings.ts";
import { Thought, type TextTokenizer } from "./thought.ts";

/** What has been generated so far, and whether it is finished. */
export class GenerationRun {
  readonly ids: number[] = [];
  /** All different tokens so far, those of the prompt included. */
  readonly seen: Set<number>;
  /** How often each token was generated. */
  readonly said = new Map<number, number>();
  finishReason: FinishReason | undefined;
  readonly #options: CheckedOptions;
  readonly #from: Continuation;
  /** Of the prompt, `cachedTokens` of them with a known state. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly #thought: Thought;
  readonly #decoder: ReturnType<TextTokenizer["createDecodeStream"]>;
  readonly #stops: StopStrings;
  readonly #constraint: AnswerConstraint | undefined;
  #forced: number[] = [];
  /** A thought is closed by force once; what the closing's tokens count does not matter then. */
  #closed = false;
  #afterThought = false;
  #answered = false;
  #text = "";
  #reasoning = "";
  #stopString: string | undefined;
  /** Tokens in a row that the model was certain of. */
  #certain = 0;

  constructor(from: Continuation, options: CheckedOptions, constraint?: AnswerConstraint) {
    this.#from = from;
    this.#options = options;
    // A session's turn is its new tokens alone; with a cache the whole prompt counts.
    this.promptTokens = options.prefixes ? from.history.length : from.prompt.length;
    this.cachedTokens = this.promptTokens - from.prompt.length;
    this.seen = new Set(from.history);
    this.#thought = new Thought(from.tokenizer);
    this.#thought.observePrompt(from.history);
    this.#decoder = from.tokenizer.createDecodeStream({ skipSpecialTokens: true });
    this.#stops = new StopStrings(options.stop);
    this.#constraint = constraint;
    if (options.maxNewTokens === 0) this.finishReason = "length";
  }

  /** The next token of a forced closing, if the thought's budget is used up. */
  nextForced(): number | undefined {
    const { thinkingBudget, thoughtClosing } = this.#options;
    const spent = thinkingBudget !== undefined && this.#thought.tokens >= thinkingBudget;
    if (spent && this.#thought.inside && !this.#closed) {
      this.#forced = this.#from.tokenizer.encode(thoughtClosing);
      this.#closed = true;
    }
    return this.#forced[0];
  }

  /**
   * Logits of the tokens that the constraint lets come next; the others are −∞.
   * @throws ConstraintError when no token can go on with the answer
   */
  allowed(logits: Float32Array): Float32Array {
    const constraint = this.#constraint;
    if (!constraint) return logits;
    const { config, tokenizer } = this.#from;
    if (this.#thought.inside) {
      const open = logits.slice();
      // The answer is still to come.
      for (const id of config.eosTokenId) open[id] = -Infinity;
      return open;
    }
    const free = constraint.isComplete ? [...config.eosTokenId] : [];
    const think = tokenizer.tokenToId("<think>");
    if (think !== undefined && !constraint.hasBegun && !this.#afterThought) free.push(think);
    return constraint.masked(logits, free);
  }

  /** Takes the next token, drawn from `logits` or forced. */
  accept(id: number, logits: Float32Array): TokenEvent {
    const forced = this.#forced.shift() !== undefined;
    const { logprobs } = this.#options;
    const isEnd = this.#from.config.eosTokenId.includes(id);
    const inside = this.#thought.inside;
    const isMark = this.#thought.observe(id, { counted: !forced });
    const part = isMark || isEnd ? "mark" : inside ? "thought" : "answer";
    this.ids.push(id);
    this.seen.add(id);
    this.said.set(id, (this.said.get(id) ?? 0) + 1);
    let text = part === "mark" ? this.#passMark(inside) : this.#read(this.#decoded(id, part), part);
    if (part === "answer") this.#constraint?.accept(id);
    this.#certain = !forced && this.#isCertain(logits, id) ? this.#certain + 1 : 0;
    this.finishReason ??= this.#reasonToEnd(isEnd);
    if (this.finishReason !== undefined) text += this.#flush();
    return {
      type: "token",
      id,
      text,
      part,
      forced,
      ...(logprobs !== undefined && logProbabilities(logits, id, logprobs)),
    };
  }

  #decoded(id: number, part: "thought" | "answer"): string {
    const mark = part === "answer" ? this.#constraint?.markText(id) : undefined;
    return mark === undefined ? this.#decoder.push(id) : this.#decoder.flush() + mark;
  }

  result(): GenerationResult {
    const finishReason = this.finishReason ?? "abort";
    // After an abort no event can bring what was held back, but it belongs to the answer.
    this.#flush();
    return {
      ids: this.ids,
      reasoningText: this.#reasoning.trim(),
      text: this.#text,
      finishReason,
      ...(this.#stopString !== undefined && { stopString: this.#stopString }),
      usage: {
        promptTokens: this.promptTokens,
        cachedTokens: this.cachedTokens,
        completionTokens: this.ids.length,
        reasoningTokens: this.#thought.tokens,
      },
    };
  }

  #isCertain(logits: Float32Array, id: number): boolean {
    const { probability } = this.#options.truncateRepetition;
    // One rival that is likely enough spares the sum over all.
    const rival = logits[id]! + Math.log(1 / probability - 1);
    if (logits.some((logit, other) => logit >= rival && other !== id)) return false;
    return logProbability(logits, id) > Math.log(probability);
  }

  #reasonToEnd(isEnd: boolean): FinishReason | undefined {
    const { maxNewTokens, truncateRepetition } = this.#options;
    const { config, sequence } = this.#from;
    if (isEnd || this.#constraint?.isFinished) return "stop";
    if (this.#certain >= truncateRepetition.window) return "repetition";
    const contextFull = sequence.length + 1 >= config.maxPositionEmbeddings;
    return contextFull || this.ids.length >= maxNewTokens ? "length" : undefined;
  }

  /** A mark has no text of its own, whether the tokenizer calls it special or not. */
  #passMark(wasInside: boolean): string {
    const rest = this.#decoder.flush();
    if (wasInside) {
      this.#reasoning += rest;
      this.#afterThought = true;
      return "";
    }
    const text = this.#read(rest, "answer");
    return this.#thought.inside ? text + this.#release() : text;
  }

  #read(piece: string, part: "thought" | "answer"): string {
    if (part === "thought") {
      this.#reasoning += piece;
      return piece;
    }
    // The line breaks that set the answer apart from its thought belong to neither.
    const answer = this.#afterThought && !this.#answered ? piece.trimStart() : piece;
    this.#answered ||= answer !== "";
    const { text, stopped } = this.#stops.push(answer);
    if (stopped !== undefined) {
      this.#stopString = stopped;
      this.finishReason = "stop";
    }
    this.#text += text;
    return text;
  }

  /** Text held back for a stop string that did not come. */
  #release(): string {
    const text = this.#stops.flush();
    this.#text += text;
    return text;
  }

  /** All that is still held back, at the end. */
  #flush(): string {
    if (this.#stopString !== undefined) return "";
    const rest = this.#decoder.flush();
    const text = this.#read(rest, this.#thought.inside ? "thought" : "answer");
    return this.#stopString === undefined ? text + this.#release() : text;
  }
}
