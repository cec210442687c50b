import { finished, type Writable } from "node:stream";
import type { ConversationMessage, ToolDefinition } from "@levin/tokenizer";
import type { AnswerPart } from "../api/answer-parts.ts";
import { ApiError } from "../api/api-error.ts";
import type { AnswerEnd } from "../api/reply-forms.ts";
import { streamSteps } from "../api/stream-steps.ts";
import { assemble } from "../api/whole-answers.ts";

/** What a turn needs of the session that it belongs to. */
export interface TurnSession {
  /** What its model may call; later turns need not name it. */
  tools: readonly ToolDefinition[] | null;
  /** Writes the answer; when it resolves, the turn is on the disk. */
  save(answer: ConversationMessage): Promise<void>;
  /** Lets the next turn begin. */
  unlock(): Promise<void>;
  /** Told of what nobody is left to hear of. */
  onError(error: unknown): void;
}

/**
 * One question to a session and its answer. A whole answer is saved before its end is told. Of a
 * streamed one that its client breaks off, what was said so far is saved: the client has seen it.
 * A turn that fails leaves the session as it was.
 */
export class Turn {
  readonly #session: TurnSession;
  readonly #isStreamed: boolean;
  #isRunning = false;
  #isReleased = false;

  /** @param reply the turn's session is locked until it is closed or the answer has ended */
  constructor(session: TurnSession, reply: Writable, { isStreamed }: { isStreamed: boolean }) {
    this.#session = session;
    this.#isStreamed = isStreamed;
    // A request may fail, or its client leave, before there is an answer.
    finished(reply, () => {
      if (!this.#isRunning) void this.#release();
    });
  }

  get tools(): ToolDefinition[] | undefined {
    return this.#session.tools?.slice();
  }

  /** Passes parts of the answer on, and saves it. */
  async *parts(
    source: AsyncGenerator<AnswerPart, AnswerEnd>,
  ): AsyncGenerator<AnswerPart, AnswerEnd> {
    if (this.#isReleased) throw new ApiError(409, "the request was closed before its turn");
    this.#isRunning = true;
    const said: AnswerPart[] = [];
    let isBrokenOff = true;
    try {
      for await (const step of streamSteps(source)) {
        if (step.result === undefined) {
          said.push(step.item);
          yield step.item;
          continue;
        }
        isBrokenOff = step.result.finishReason === "abort";
        if (!isBrokenOff) await this.#session.save(answerOf(said));
        return step.result;
      }
      throw new Error("expected a result at the end of the answer, found none");
    } catch (error) {
      isBrokenOff = false;
      throw error;
    } finally {
      if (isBrokenOff && this.#isStreamed && said.some(isSaid)) {
        await this.#session
          .save(answerOf(said))
          .catch((error: unknown) => this.#session.onError(error));
      }
      await this.#release();
    }
  }

  async #release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#session.unlock();
  }
}

/** How far the prompt is read comes in parts, too. */
function isSaid({ promptProgress }: AnswerPart): boolean {
  return promptProgress === undefined;
}

function answerOf(parts: readonly AnswerPart[]): ConversationMessage {
  const { reasoning, content, toolCalls } = assemble(parts);
  return {
    role: "assistant",
    content,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map(({ id, ...call }) => ({ id, type: "function", function: call })),
    }),
  };
}
