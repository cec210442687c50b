import { Inbox } from "../engine/inbox.ts";
import type { OnPrefill } from "../engine/engine.ts";
import type { AnswerPart } from "./answer-parts.ts";
import type { AnswerEnd } from "./reply-forms.ts";
import type { PromptProgress } from "./reply-schemas.ts";

/**
 * The parts of an answer, and before them how far its prompt is read.
 *
 * @param begin makes the answer, which runs when it is asked for its first part
 */
export async function* withPromptProgress(
  begin: (onPrefill: OnPrefill) => AsyncGenerator<AnswerPart, AnswerEnd>,
): AsyncGenerator<AnswerPart, AnswerEnd> {
  const reports = new Inbox<PromptProgress>();
  let began: number | undefined;
  const answer = begin(({ total, cached, processed }) => {
    const now = performance.now();
    began ??= now;
    reports.push({ total, cache: cached, processed, time_ms: Math.round(now - began) });
  });
  try {
    const first = answer.next();
    for (;;) {
      // What was reported comes before the answer, even if both are there.
      const report = await Promise.race([reports.next(), first.then(() => undefined)]);
      if (!report) break;
      yield { promptProgress: report };
    }
    const { done, value } = await first;
    if (done) return value;
    yield value;
    return yield* answer;
  } finally {
    await answer.return(undefined as never);
  }
}
