import type { Answers, Variant } from "../answers/use-answers.ts";
import { toolResults } from "../tools/tool-round.ts";
import { branchAt, showing, type Attachment, type Question } from "./conversation.ts";
import type { MessageActions } from "./conversation-view.tsx";
import { newId } from "./new-id.ts";
import type { Chats } from "./use-chats.ts";

/** Asks, and all that can be done with the messages of the open conversation. */
export function messageActions(
  chats: Chats,
  answers: Answers,
  variants: readonly Variant[],
): MessageActions & { send: (text: string, attachments: readonly Attachment[]) => void } {
  const { current } = chats;
  const [variant] = variants;
  return {
    send: (text, attachments) =>
      answers.ask(current, [newQuestion(current.leaf, text, attachments)], variants),
    edit: ({ parent, attachments }, text) =>
      answers.ask(current, [newQuestion(parent, text, attachments)], variants),
    retry: ({ parent }) => answers.ask({ ...current, leaf: parent }, [], [variant!]),
    branch: ({ id }) => chats.add(branchAt(current, id)),
    show: ({ id }) => chats.change(current.id, (now) => showing(now, id)),
    giveToolResults: ({ id }, results) =>
      answers.ask(current, toolResults(id, results), [variant!]),
  };
}

function newQuestion(
  parent: string | null,
  text: string,
  attachments: readonly Attachment[],
): Question {
  return { id: newId(), parent, role: "user", text, attachments };
}
