import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { AnswerSource } from "../answers/answer-source.ts";
import type { Attachment } from "../chats/conversation.ts";
import { IconButton } from "../layout/icon-button.tsx";
import { Icon } from "../layout/icon.tsx";
import type { ModelFacts } from "../model/model-facts.ts";

interface AttachmentsProps {
  attachments: readonly Attachment[];
  source: AnswerSource;
  /** The model that is to read them. */
  facts: ModelFacts | undefined;
  onRemove: (attachment: Attachment) => void;
}

/** Files that go with the next question, and how much of the context they take. */
export function Attachments(props: AttachmentsProps): JSX.Element | null {
  const { attachments, source, facts, onRemove } = props;
  const size = useSize(attachments, source, facts?.id);
  const contextLength = facts?.contextLength;
  if (attachments.length === 0) return null;
  const isTooLong = contextLength !== undefined && size.tokens >= contextLength;
  return (
    <div class="attachments">
      {attachments.map((attachment, index) => (
        <span key={index} class="chip">
          <Icon name="file" />
          {attachment.name}
          <IconButton
            icon="close"
            label={`Leave out ${attachment.name}`}
            onClick={() => onRemove(attachment)}
          />
        </span>
      ))}
      <p class={isTooLong ? "error" : "note"} role="status" data-testid="size">
        {!size.isExact && "about "}
        {size.tokens.toLocaleString("en")} tokens
        {contextLength !== undefined && ` of the ${contextLength.toLocaleString("en")} that fit`}
        {isTooLong && ": too long for this model"}
      </p>
    </div>
  );
}

/** English text has about so many bytes a token where nobody counts. */
const bytesPerToken = 3;

function useSize(
  attachments: readonly Attachment[],
  source: AnswerSource,
  model: string | undefined,
): { tokens: number; isExact: boolean } {
  const text = attachments.map((attachment) => attachment.text).join("\n\n");
  const [counted, setCounted] = useState<{ text: string; tokens: number }>();
  useEffect(() => {
    if (text === "" || model === undefined) return;
    const controller = new AbortController();
    source.countTokens(text, model, controller.signal).then(
      (tokens) => tokens !== undefined && setCounted({ text, tokens }),
      // The estimate stands.
      () => undefined,
    );
    return () => controller.abort();
  }, [text, source, model]);
  if (counted?.text === text) return { tokens: counted.tokens, isExact: true };
  return { tokens: Math.ceil(new Blob([text]).size / bytesPerToken), isExact: false };
}
