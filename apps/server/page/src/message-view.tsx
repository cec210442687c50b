import type { JSX } from "preact";
import { Bolt } from "./bolt.tsx";
import type { Message } from "./conversation.ts";

/** One message: a question, or an answer with its folded thought and its figures. */
export function MessageView({ message }: { message: Message }): JSX.Element {
  if (message.role === "user") return <li class="message question">{message.text}</li>;
  const thinking = message.state === "streaming" && message.text === "";
  return (
    <li class="message answer">
      <span class={thinking ? "logo avatar busy" : "logo avatar"}>
        <Bolt />
      </span>
      <div class="body">
        {message.thought !== "" && <Thought message={message} thinking={thinking} />}
        {thinking && message.thought === "" && <p class="note">Reading…</p>}
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
  const lastLine = message.thought.trimEnd().split("\n").at(-1);
  return (
    <details class="thought">
      <summary>
        <span>{thinking ? "Thinking…" : "Thought"}</span>
        {thinking && <code class="last-line">{lastLine}</code>}
        <span class="count" data-testid="thought-tokens">
          {tokenCount(message.thoughtTokens)}
        </span>
      </summary>
      <pre>{message.thought.trim()}</pre>
    </details>
  );
}

function Figures({ message: { tokens, seconds } }: { message: Message }): JSX.Element {
  // The clock starts with the first token.
  const rate = seconds > 0.05 ? ` · ${((tokens - 1) / seconds).toFixed(0)} tokens/s` : "";
  return (
    <p class="figures" data-testid="figures">
      {tokenCount(tokens)}
      {rate}
    </p>
  );
}

function tokenCount(tokens: number): string {
  return tokens === 1 ? "1 token" : `${tokens} tokens`;
}
