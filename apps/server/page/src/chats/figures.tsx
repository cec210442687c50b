import type { JSX } from "preact";
import { flopsOf, stateBytesAfter, type ModelFacts } from "../model/model-facts.ts";
import { inBytes, inFlops } from "../model/units.ts";
import type { Answer } from "./conversation.ts";

/** What an answer costs: tokens, speed, what had to be read for it, and the state behind it. */
export function Figures({
  answer: { cost },
  facts,
}: {
  answer: Answer;
  /** Of the model that answered, where it is known. */
  facts: ModelFacts | undefined;
}): JSX.Element {
  const { tokens, seconds, promptTokens, cachedTokens, readSeconds } = cost;
  const state =
    facts && promptTokens > 0 ? stateBytesAfter(facts, promptTokens + tokens) : undefined;
  const read = promptTokens - cachedTokens;
  // The last token is said, but not read any more.
  const last = promptTokens + Math.max(0, tokens - 1);
  const work =
    facts?.flops && promptTokens > 0 ? flopsOf(facts.flops, cachedTokens, last) : undefined;
  return (
    <p class="figures" data-testid="figures">
      <span>{tokenCount(tokens)}</span>
      {/* The clock starts with the first token. */}
      {seconds > 0.05 && <span>{((tokens - 1) / seconds).toFixed(0)} tokens/s</span>}
      <span>{(readSeconds + seconds).toFixed(1)} s</span>
      {promptTokens > 0 && (
        <span title={`${read} tokens of the prompt in ${readSeconds.toFixed(2)} s`}>
          read {read}
          {cachedTokens > 0 && `, ${cachedTokens} remembered`}
        </span>
      )}
      {work !== undefined && (
        <span title="Multiplications and additions, by the model's shape: all it read and said">
          {inFlops(work)}
        </span>
      )}
      {state !== undefined && <span>state {inBytes(state)}</span>}
    </p>
  );
}

export function tokenCount(tokens: number): string {
  return tokens === 1 ? "1 token" : `${tokens.toLocaleString("en")} tokens`;
}
