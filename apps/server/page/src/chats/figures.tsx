import type { JSX } from "preact";
import { stateBytesAfter, type ModelFacts } from "../model/model-facts.ts";
import { inBytes } from "../model/units.ts";
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
      {state !== undefined && <span>state {inBytes(state)}</span>}
    </p>
  );
}

export function tokenCount(tokens: number): string {
  return tokens === 1 ? "1 token" : `${tokens.toLocaleString("en")} tokens`;
}
