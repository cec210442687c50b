import type { ComponentChildren, JSX } from "preact";
import { Bolt } from "../layout/bolt.tsx";
import { Markdown } from "../markdown/markdown.tsx";
import type { ModelFacts } from "../model/model-facts.ts";
import type { Answer } from "./conversation.ts";
import { Figures } from "./figures.tsx";
import { Reading } from "./reading.tsx";
import { Thought } from "./thought.tsx";
import { ToolCallView } from "./tool-call-view.tsx";
import type { Step } from "./turns.ts";

interface AnswerViewProps {
  steps: readonly Step[];
  /** Models that may have answered. */
  models: readonly ModelFacts[];
  children?: ComponentChildren;
}

/** An answer in all its steps; actions are its children. */
export function AnswerView({ steps, models, children }: AnswerViewProps): JSX.Element {
  const { label } = steps[0]!.answer;
  const last = steps.at(-1)!.answer;
  return (
    <article class="message answer" aria-label={label ?? "Answer"}>
      <span class={isWaiting(last) ? "logo avatar busy" : "logo avatar"}>
        <Bolt />
      </span>
      <div class="body">
        {label !== undefined && <h2 class="label">{label}</h2>}
        {steps.map((step) => (
          <StepView key={step.answer.id} step={step} models={models} />
        ))}
        {last.state !== "streaming" && children}
      </div>
    </article>
  );
}

/** The folded thought, the text, calls of tools, and figures. */
function StepView({
  step: { answer, results },
  models,
}: { step: Step } & Pick<AnswerViewProps, "models">): JSX.Element {
  const { state, text, thought, toolCalls, error } = answer;
  return (
    <>
      {thought.trim() !== "" && <Thought answer={answer} isOpenEnded={isWaiting(answer)} />}
      {isWaiting(answer) && thought.trim() === "" && <Reading answer={answer} />}
      {text !== "" && (
        <div class="text" data-testid="answer">
          <Markdown text={text} />
        </div>
      )}
      {toolCalls.map((call) => (
        <ToolCallView
          key={call.id}
          call={call}
          result={results.find((result) => result.call.id === call.id)?.text}
        />
      ))}
      {error !== undefined && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {state === "stopped" && <p class="note">Stopped.</p>}
      {answer.cost.tokens > 0 && (
        <Figures answer={answer} facts={models.find(({ id }) => id === answer.model)} />
      )}
    </>
  );
}

function isWaiting({ state, text, toolCalls }: Answer): boolean {
  return state === "streaming" && text === "" && toolCalls.length === 0;
}
