import type {
  ChatTurn,
  ContextItem,
  ContextPrediction,
  Item,
  Pooling,
  SubmittedPrediction,
  Suite,
} from "@levin/evaluation";
import type { GenerationOptions } from "@levin/model";
import type { DrawnAnswer, RolloutSampling } from "@levin/training";
import type { ContextSource } from "../benchmark/context-settings.ts";
import type { EntropyCount, WorkedProblem } from "../reply-entropy.ts";

/**
 * A part of long work in plain JSON, with all that its results depend on but the model: any process
 * that has the same model does it to the same results.
 */
export type Piece = AskPiece | AnswerPiece | ReplyPiece | ContextPiece | DrawPiece;

/** Problems that are asked in one batch. */
export interface AskPiece {
  work: "ask";
  problems: WorkedProblem[];
  options: GenerationOptions;
}

/** Items of a benchmark's task, in batches that are answered one after the other. */
export interface AnswerPiece {
  work: "answer";
  suite: Suite["name"];
  task: string;
  by: Method;
  batches: (readonly Item[])[];
}

/** How items are answered, with all that it takes. */
export type Method =
  | { method: "likelihood"; examples: Item[] }
  | {
      method: "generation";
      examples: Item[];
      maxTokens: number;
      thinkingBudget?: number | undefined;
    }
  /** `folder` has a head that has learned: it can be had on its machine alone. */
  | { method: "head"; folder: string; pooling: Pooling; maxLength: number };

/** Chats that are replied to in one batch; what they begin with alike is read once. */
export interface ReplyPiece {
  work: "reply";
  chats: (readonly ChatTurn[])[];
  options: GenerationOptions;
}

/** Questions about one long context, with what it is made from. */
export interface ContextPiece {
  work: "context";
  suite: string;
  source: ContextSource;
  items: readonly ContextItem[];
}

/** A prompt to which a policy draws a group of answers. */
export interface DrawPiece {
  work: "draw";
  /** File of the policy's parameters; the rest is the model's. */
  policy: string;
  prompt: readonly number[];
  groupSize: number;
  sampling: Omit<RolloutSampling, "signal">;
}

export interface AskResult {
  replies: string[];
  entropy: EntropyCount;
}

/** What comes back of a piece. */
export type ResultOf<Work extends Piece> = Work extends AskPiece
  ? AskResult
  : Work extends DrawPiece
    ? DrawnAnswer[]
    : Work extends ReplyPiece
      ? string[]
      : Work extends ContextPiece
        ? ContextPrediction[]
        : SubmittedPrediction[];

/** Raised when a piece failed where it was done, with the error's name and message there. */
export class PieceError extends Error {
  constructor({ name, message }: { name: string; message: string }) {
    super(message);
    this.name = name;
  }
}
