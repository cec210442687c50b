import type { GenerationSettings, OnPrefill } from "../engine/engine.ts";
import type { Caller, GenerationService } from "../scheduling/generation-service.ts";
import type { ModelTurn } from "../sessions/model-turn.ts";
import { answerParts, type AnswerPart } from "./answer-parts.ts";
import { withPromptProgress } from "./prompt-progress.ts";
import type { AnswerEnd } from "./reply-forms.ts";

/** A prompt and how to go on with it. */
export interface Question {
  ids: readonly number[];
  settings: GenerationSettings;
  /** Its turn in a session, which remembers the answer. */
  turn?: ModelTurn | undefined;
}

/** What is made of the tokens of answers. */
interface AnswerForm {
  /** Whether calls are read out of the answers. */
  tools?: boolean;
  /** Whether the first parts tell how far the prompt is read. */
  promptProgress?: boolean;
}

/** What came of one of several answers: its next part, or its end. */
export type AnswerStep =
  | { choice: number; part: AnswerPart; result?: never }
  | { choice: number; result: AnswerEnd };

/**
 * `count` answers to a prompt. Each draws with a seed of its own; all but the first find the
 * prompt read.
 */
export function repeated(
  ids: readonly number[],
  settings: GenerationSettings,
  count: number,
): Question[] {
  return Array.from({ length: count }, (_, i) => ({
    ids,
    settings: { ...settings, seed: settings.seed === undefined ? undefined : settings.seed + i },
  }));
}

/** @throws ApiError when the answers to all of these may not wait: see `GenerationService` */
export function checkRoom(
  service: GenerationService,
  questions: readonly Question[],
  caller: Caller,
): void {
  const tokens = questions.reduce((sum, { ids }) => sum + ids.length, 0);
  service.checkRoom(caller, { tokens, requests: questions.length });
}

/**
 * Answers several questions at once and gives what comes as it comes. An error of one ends all, and
 * so does whoever stops reading.
 */
export async function* answerSteps(
  service: GenerationService,
  questions: readonly Question[],
  client: AbortSignal,
  caller: Caller,
  { tools = false, promptProgress = false }: AnswerForm = {},
): AsyncGenerator<AnswerStep, void> {
  const end = new AbortController();
  const signal = AbortSignal.any([client, end.signal]);
  const { tokenizer } = service.served;
  const answers = questions.map(({ ids, settings, turn }) => {
    const begin = (onPrefill?: OnPrefill) => {
      const tokens = service.generate(ids, settings, signal, caller, onPrefill);
      const parts = answerParts(turn?.tokens(tokens) ?? tokens, tokenizer, { tools });
      return turn?.parts(parts) ?? parts;
    };
    return promptProgress ? withPromptProgress(begin) : begin();
  });
  const advance = async (choice: number) => ({ choice, next: await answers[choice]!.next() });
  const running = new Map(answers.map((_, choice) => [choice, advance(choice)]));
  try {
    while (running.size > 0) {
      const { choice, next } = await Promise.race(running.values());
      if (next.done) {
        running.delete(choice);
        yield { choice, result: next.value };
      } else {
        running.set(choice, advance(choice));
        yield { choice, part: next.value };
      }
    }
  } finally {
    end.abort();
    await Promise.allSettled(running.values());
    await Promise.allSettled(answers.map((answer) => answer.return(undefined as never)));
  }
}
