import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { AnswerSource } from "../answers/answer-source.ts";
import type { Attachment } from "../chats/conversation.ts";
import { IconButton } from "../layout/icon-button.tsx";
import type { ModelFacts } from "../model/model-facts.ts";
import { offeredTools } from "../tools/offered-tools.ts";
import { AttachButton } from "./attach-button.tsx";
import { Attachments } from "./attachments.tsx";
import { BudgetSlider } from "./budget-slider.tsx";
import type { Settings } from "./use-settings.ts";
import { useAttachments } from "./use-attachments.ts";
import { useDrop } from "./use-drop.ts";

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  busy: boolean;
  settings: Settings;
  onSettings: (change: Partial<Settings>) => void;
  source: AnswerSource;
  /** The model that is asked; undefined until there is one. */
  facts: ModelFacts | undefined;
  onSend: (text: string, attachments: readonly Attachment[]) => void;
  onStop: () => void;
}

/** Where questions are typed, with the thinking budget and files; Enter sends. */
export function Composer(props: ComposerProps): JSX.Element {
  const { field, busy, source, facts, onSend } = props;
  const [text, setText] = useState("");
  const files = useAttachments();
  const isOver = useDrop(files.add);
  const canSend = facts !== undefined && !busy && (text.trim() !== "" || files.list.length > 0);
  useLayoutEffect(() => {
    // Whoever renames or searches while an answer ends goes on with that.
    if (document.activeElement?.matches("input")) return;
    // On a touch screen the keyboard would cover the examples.
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, [busy, field]);
  const submit = (): void => {
    if (!canSend) return;
    onSend(text.trim(), files.list);
    setText("");
    files.clear();
  };
  return (
    <form
      class={isOver ? "composer over" : "composer"}
      aria-label="Ask the model"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Attachments attachments={files.list} source={source} facts={facts} onRemove={files.remove} />
      {files.problem !== undefined && (
        <p class="error" role="alert">
          {files.problem}
        </p>
      )}
      <textarea
        ref={field}
        aria-label="Your question"
        placeholder="Ask something…"
        rows={1}
        value={text}
        onPaste={files.paste}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <Buttons {...props} canSend={canSend} onFiles={files.add} />
    </form>
  );
}

function Buttons({
  busy,
  settings,
  onSettings,
  onStop,
  canSend,
  onFiles,
}: ComposerProps & { canSend: boolean; onFiles: (files: File[]) => void }): JSX.Element {
  const { length: toolCount } = offeredTools(settings);
  return (
    <div class="row">
      <AttachButton onFiles={onFiles} />
      <IconButton
        icon="tool"
        label={toolCount === 0 ? "Tools" : `Tools, ${toolCount} on`}
        class={toolCount === 0 ? "" : "on"}
        popovertarget="tool-panel"
      />
      <BudgetSlider budget={settings.budget} onBudget={(budget) => onSettings({ budget })} />
      {busy ? (
        <IconButton icon="stop" label="Stop" class="round stop" onClick={onStop} />
      ) : (
        <IconButton icon="send" label="Send" class="round" type="submit" disabled={!canSend} />
      )}
    </div>
  );
}
