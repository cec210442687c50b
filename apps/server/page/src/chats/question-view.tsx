import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { focused } from "../layout/focused.ts";
import { IconButton } from "../layout/icon-button.tsx";
import { Icon } from "../layout/icon.tsx";
import { inBytes } from "../model/units.ts";
import type { Attachment, Question } from "./conversation.ts";

interface QuestionViewProps {
  question: Question;
  /** Undefined while it may not be edited. */
  onEdit: ((text: string) => void) | undefined;
  children?: ComponentChildren;
}

/** A question with its files; can be edited in place. Further actions are its children. */
export function QuestionView({ question, onEdit, children }: QuestionViewProps): JSX.Element {
  const [isEditing, setEditing] = useState(false);
  if (isEditing && onEdit) {
    return (
      <QuestionEditor
        text={question.text}
        onSave={(text) => {
          setEditing(false);
          onEdit(text);
        }}
        onCancel={() => setEditing(false)}
      />
    );
  }
  return (
    <article class="message question" aria-label="Question">
      {question.attachments.map((attachment, index) => (
        <AttachmentView key={index} attachment={attachment} />
      ))}
      {question.text !== "" && <p class="bubble">{question.text}</p>}
      <div class="actions" role="group" aria-label="Question's actions">
        {onEdit && <IconButton icon="edit" label="Edit" onClick={() => setEditing(true)} />}
        {children}
      </div>
    </article>
  );
}

function AttachmentView({ attachment: { name, text } }: { attachment: Attachment }): JSX.Element {
  return (
    <details class="attachment">
      <summary>
        <Icon name="file" />
        {name} <span class="size">{inBytes(new Blob([text]).size)}</span>
      </summary>
      <pre tabIndex={0}>{text.length > shownLength ? `${text.slice(0, shownLength)}…` : text}</pre>
    </details>
  );
}

/** Characters of a file that are shown; a whole book would make the page slow. */
const shownLength = 20_000;

function QuestionEditor({
  text,
  onSave,
  onCancel,
}: {
  text: string;
  onSave: (text: string) => void;
  onCancel: () => void;
}): JSX.Element {
  const [edited, setEdited] = useState(text);
  const save = (): void => {
    if (edited.trim() !== "") onSave(edited.trim());
  };
  return (
    <form
      class="editor"
      aria-label="Edit the question"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          onCancel();
        }
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        if (!(event.target instanceof HTMLTextAreaElement)) return;
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={focused}
        aria-label="Edited question"
        value={edited}
        onInput={(event) => setEdited(event.currentTarget.value)}
      />
      <div class="row">
        <button type="button" class="plain" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={edited.trim() === ""}>
          Ask again
        </button>
      </div>
    </form>
  );
}
