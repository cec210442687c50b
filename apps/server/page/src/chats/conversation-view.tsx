import type { JSX } from "preact";
import { CopyButton } from "../controls/copy-button.tsx";
import { IconButton } from "../layout/icon-button.tsx";
import { AnswerView } from "./answer-view.tsx";
import {
  isRunning,
  pathTo,
  versionsOf,
  type Answer,
  type Conversation,
  type Message,
  type Question,
  type ToolCall,
} from "./conversation.ts";
import { QuestionView } from "./question-view.tsx";
import { ToolResults } from "./tool-results.tsx";
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
  /** Bytes of the state after so many tokens, where the model tells. */
  stateBytes: (tokens: number) => number | undefined;
}

/** The messages that are shown of a conversation; answers of a comparison stand side by side. */
export function ConversationView(props: ConversationViewProps): JSX.Element {
  const { conversation, actions, stateBytes } = props;
  const path = pathTo(conversation);
  return (
    <ol class="messages">
      {path.map((message, index) => (
        <li key={message.id}>
          {message.role === "user" && <QuestionItem {...props} question={message} />}
          {message.role === "tool" && (
            <ToolResultView name={message.call.name} text={message.text} />
          )}
          {message.role === "assistant" && (
            <div class={message.comparison === undefined ? "answers" : "answers compared"}>
              {together(conversation, message).map((answer) => (
                <AnswerView key={answer.id} answer={answer} stateBytes={stateBytes}>
                  <AnswerActions {...props} answer={answer} shown={message} />
                </AnswerView>
              ))}
            </div>
          )}
          {message.role === "assistant" && index === path.length - 1 && (
            <ToolResults
              answer={message}
              onResults={(results) => actions.giveToolResults(message, results)}
            />
          )}
        </li>
      ))}
    </ol>
  );
}

/** An answer with those it is compared with. */
function together(conversation: Conversation, answer: Answer): Answer[] {
  if (answer.comparison === undefined) return [answer];
  return conversation.messages.filter(
    (other): other is Answer =>
      other.role === "assistant" && other.comparison === answer.comparison,
  );
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
  answer,
  shown,
  conversation,
  actions,
}: ConversationViewProps & { answer: Answer; shown: Answer }): JSX.Element {
  const isCompared = answer.comparison !== undefined;
  return (
    <div class="actions" role="group" aria-label="Answer's actions">
      <CopyButton label="Copy" text={answer.text} />
      {!isRunning(conversation) && (
        <IconButton icon="retry" label="Answer again" onClick={() => actions.retry(answer)} />
      )}
      <IconButton icon="branch" label="Branch from here" onClick={() => actions.branch(answer)} />
      {isCompared && answer.id !== shown.id && (
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

function ToolResultView({ name, text }: { name: string; text: string }): JSX.Element {
  return (
    <div class="tool-call result">
      <span class="kind">Result</span>
      <code>{name}</code>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}
