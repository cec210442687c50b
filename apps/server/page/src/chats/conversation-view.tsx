import type { JSX } from "preact";
import { CopyButton } from "../controls/copy-button.tsx";
import { IconButton } from "../layout/icon-button.tsx";
import type { ModelFacts } from "../model/model-facts.ts";
import { AnswerView } from "./answer-view.tsx";
import {
  isRunning,
  pathTo,
  showing,
  versionsOf,
  type Answer,
  type Conversation,
  type Message,
  type Question,
  type ToolCall,
} from "./conversation.ts";
import { QuestionView } from "./question-view.tsx";
import { ToolResults } from "./tool-results.tsx";
import { isQuestion, turnsOf, type Step } from "./turns.ts";
import { VersionSwitch } from "./version-switch.tsx";

/** What can be done with messages. */
export interface MessageActions {
  edit: (question: Question, text: string) => void;
  retry: (answer: Answer) => void;
  branch: (message: Message) => void;
  show: (message: Message) => void;
  giveToolResults: (answer: Answer, results: { call: ToolCall; text: string }[]) => void;
}

interface ConversationViewProps {
  conversation: Conversation;
  actions: MessageActions;
  /** Models that may have answered. */
  models: readonly ModelFacts[];
}

/** The messages that are shown of a conversation; answers of a comparison stand side by side. */
export function ConversationView(props: ConversationViewProps): JSX.Element {
  const turns = turnsOf(pathTo(props.conversation));
  return (
    <ol class="messages">
      {turns.map((turn, index) =>
        isQuestion(turn) ? (
          <li key={turn.id}>
            <QuestionItem {...props} question={turn} />
          </li>
        ) : (
          <li key={turn[0]!.answer.id}>
            <AnswersItem {...props} steps={turn} isLast={index === turns.length - 1} />
          </li>
        ),
      )}
    </ol>
  );
}

function AnswersItem({
  steps,
  isLast,
  ...props
}: ConversationViewProps & { steps: readonly Step[]; isLast: boolean }): JSX.Element {
  const { conversation, actions, models } = props;
  const isCompared = steps[0]!.answer.comparison !== undefined;
  const { answer, results } = steps.at(-1)!;
  return (
    <>
      <div class={isCompared ? "answers compared" : "answers"}>
        {together(conversation, steps).map((side) => (
          <AnswerView key={side[0]!.answer.id} steps={side} models={models}>
            <AnswerActions {...props} steps={side} isShown={side === steps} />
          </AnswerView>
        ))}
      </div>
      {isLast && results.length === 0 && (
        <ToolResults
          key={answer.id}
          answer={answer}
          onResults={(given) => actions.giveToolResults(answer, given)}
        />
      )}
    </>
  );
}

/** An answer with those that it is compared with, each in all its steps. */
function together(conversation: Conversation, shown: readonly Step[]): (readonly Step[])[] {
  const { id, comparison } = shown[0]!.answer;
  if (comparison === undefined) return [shown];
  return conversation.messages
    .filter((other) => other.role === "assistant" && other.comparison === comparison)
    .map((other) => (other.id === id ? shown : stepsFrom(conversation, other.id)));
}

/** The steps of an answer that is not shown now, as they are when it is. */
function stepsFrom(conversation: Conversation, id: string): Step[] {
  const turns = turnsOf(pathTo(showing(conversation, id)));
  return turns.find((turn): turn is Step[] => !isQuestion(turn) && turn[0]!.answer.id === id)!;
}

function QuestionItem({
  question,
  conversation,
  actions,
}: ConversationViewProps & { question: Question }): JSX.Element {
  return (
    <QuestionView
      question={question}
      onEdit={isRunning(conversation) ? undefined : (text) => actions.edit(question, text)}
    >
      <CopyButton label="Copy" text={question.text} />
      <VersionSwitch
        versions={versionsOf(conversation, question)}
        shown={question}
        onShow={actions.show}
      />
    </QuestionView>
  );
}

function AnswerActions({
  steps,
  isShown,
  conversation,
  actions,
}: ConversationViewProps & { steps: readonly Step[]; isShown: boolean }): JSX.Element {
  const { answer } = steps.at(-1)!;
  const isCompared = steps[0]!.answer.comparison !== undefined;
  return (
    <div class="actions" role="group" aria-label="Answer's actions">
      <CopyButton label="Copy" text={answer.text} />
      {!isRunning(conversation) && (
        <IconButton icon="retry" label="Answer again" onClick={() => actions.retry(answer)} />
      )}
      <IconButton icon="branch" label="Branch from here" onClick={() => actions.branch(answer)} />
      {!isShown && (
        <button type="button" class="plain small" onClick={() => actions.show(answer)}>
          Continue with this one
        </button>
      )}
      {!isCompared && (
        <VersionSwitch
          versions={versionsOf(conversation, answer)}
          shown={answer}
          onShow={actions.show}
        />
      )}
    </div>
  );
}
