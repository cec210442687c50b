import type { GenerationResult, TokenEvent } from "@levin/model";
import type { ToolDefinition } from "@levin/tokenizer";
import type { AnswerPart } from "../api/answer-parts.ts";
import type { AnswerEnd } from "../api/reply-forms.ts";
import { streamSteps } from "../api/stream-steps.ts";
import type { GenerationSettings } from "../engine/engine.ts";
import type { Turn } from "./turn.ts";

/** What the model of this server reads in a turn. */
export interface ModelPrompt {
  /** All tokens before the answer. */
  promptIds: readonly number[];
  /** Keeps states of the session apart from those of others. */
  salt: string;
  /** Takes the answer's tokens as they come; they are saved with it. */
  said: number[];
}

/** A turn that the model of this server takes. */
export class ModelTurn {
  readonly #turn: Turn;
  readonly #prompt: ModelPrompt;

  constructor(turn: Turn, prompt: ModelPrompt) {
    this.#turn = turn;
    this.#prompt = prompt;
  }

  get promptIds(): readonly number[] {
    return this.#prompt.promptIds;
  }

  /** Tools of the session, which later turns need not name. */
  get tools(): ToolDefinition[] | undefined {
    return this.#turn.tools;
  }

  /** What a session asks of generation beside the request. */
  get settings(): Pick<GenerationSettings, "keepAnswer" | "prefixSalt"> {
    return { keepAnswer: true, prefixSalt: this.#prompt.salt };
  }

  /** Passes tokens on, and remembers them. */
  async *tokens(
    events: AsyncGenerator<TokenEvent, GenerationResult>,
  ): AsyncGenerator<TokenEvent, GenerationResult> {
    const { said } = this.#prompt;
    for await (const step of streamSteps(events)) {
      if (step.result !== undefined) {
        // After an abort it may know tokens that no event told of.
        said.splice(0, Infinity, ...step.result.ids);
        return step.result;
      }
      said.push(step.item.id);
      yield step.item;
    }
    throw new Error("expected a result at the end of the tokens, found none");
  }

  /** Passes parts of the answer on that are made of the tokens, and saves it. */
  parts(source: AsyncGenerator<AnswerPart, AnswerEnd>): AsyncGenerator<AnswerPart, AnswerEnd> {
    return this.#turn.parts(source);
  }
}
