import type { JSX } from "preact";
import { Bolt } from "./bolt.tsx";
import type { Message } from "./conversation.ts";

/** One message: a question, or an answer with its folded thought and its figures. */
export function MessageView({ message }: { message: Message }): JSX.Element {
  if (message.role === "user") return <li class="message question">{message.text}</li>;
  const streaming = message.state === "streaming";
  const thinking = streaming && message.text === "";
  return (
    <li class="message answer">
      <span class={thinking ? "avatar busy" : "avatar"}>
        <Bolt />
      </span>
      <div class="body">
        {message.thought !== "" && <Thought message={message} thinking={thinking} />}
        {thinking && message.thought === "" && <p class="waiting">Reading…</p>}
        {message.text !== "" && (
          <p class="text" data-testid="answer">
            {message.text}
          </p>
        )}
        {message.error !== undefined && (
          <p class="error" role="alert">
            {message.error}
          </p>
        )}
        {message.state === "stopped" && <p class="note">Stopped.</p>}
        {message.tokens > 0 && <Figures message={message} />}
      </div>
    </li>
  );
}

function Thought({ message, thinking }: { message: Message; thinking: boolean }): JSX.Element {
  return (
    <details class="thought">
      <summary>
        {thinking ? "Thinking…" : "Thought"}
        <span class="count" data-testid="thought-tokens">
          {message.thoughtTokens} tokens
        </span>
      </summary>
      <pre>{message.thought.trim()}</pre>
    </details>
  );
}

function Figures({ message: { tokens, seconds } }: { message: Message }): JSX.Element {
  const rate = seconds > 0.05 ? `${(tokens / seconds).toFixed(0)} tokens/s` : "";
  return (
    <p class="figures" data-testid="figures">
      {tokens} tokens {rate && `· ${rate}`}
    </p>
  );
}
