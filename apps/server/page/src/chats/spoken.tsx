import type { JSX } from "preact";
import type { Message } from "./conversation.ts";

/** Tells screen readers when an answer begins, and reads it once it is whole: not every token. */
export function Spoken({ last }: { last: Message | undefined }): JSX.Element {
  return (
    <p class="unseen" role="status">
      {last?.role === "assistant" && words[last.state](last.text)}
    </p>
  );
}

const words = {
  streaming: () => "The model is answering.",
  done: (text: string) => `Answer: ${text}`,
  stopped: () => "Stopped.",
  // An alert says what went wrong.
  failed: () => "",
} as const;
