import { pathTo, type Conversation } from "./conversation.ts";

/**
 * A conversation after another tab wrote to it.
 *
 * @param own as this tab has it
 * @param stored as it is kept now
 * @param before as it was kept when this tab last wrote or read it; what is not so any more in `own`
 *   is still to be written
 */
export function mergeConversation(
  own: Conversation,
  stored: Conversation,
  before: Conversation | undefined,
): Conversation {
  const saved = new Set(before?.messages);
  const unsaved = new Map(
    own.messages.filter((message) => !saved.has(message)).map((message) => [message.id, message]),
  );
  const kept = stored.messages.map((message) => unsaved.get(message.id) ?? message);
  const known = new Set(kept.map(({ id }) => id));
  const messages = [...kept, ...own.messages.filter(({ id }) => !known.has(id))];
  const merged = {
    ...stored,
    title: own.title === before?.title ? stored.title : own.title,
    updated: Math.max(own.updated, stored.updated),
    messages,
  };
  // Whoever looks at what the other tab went on from goes on with it; else each tab shows its own.
  const isFollowed = pathTo(merged, stored.leaf).some(({ id }) => id === own.leaf);
  return { ...merged, leaf: isFollowed ? stored.leaf : own.leaf };
}
