import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Bolt } from "./bolt.tsx";
import { Composer } from "./composer.tsx";
import { useConversation } from "./conversation.ts";
import { MessageView } from "./message-view.tsx";
import { useModelFacts } from "./model-facts.ts";

const examples = [
  "What is 348 plus 275?",
  'How many times does the letter r appear in "strawberry"?',
  "Sort from smallest to largest: 42, 7, 19, 23.",
  "The code of Mia is 4821. The code of Tom is 9035. The code of Ann is 1174. What is the code of Tom?",
];

/** The whole page: header, conversation, composer. */
export function App(): JSX.Element {
  const facts = useModelFacts();
  const { messages, busy, send, stop, clear } = useConversation(facts?.id ?? "");
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [messages]);
  return (
    <>
      <header>
        <span class="logo">
          <Bolt />
        </span>
        <div>
          <h1>Levin</h1>
          {facts && (
            <p>
              <strong>{facts.id}</strong>
              {facts.parameters && ` · ${facts.parameters}`}
              {facts.state && <span class="wide"> · {facts.state}</span>}
            </p>
          )}
        </div>
        {messages.length > 0 && (
          <button type="button" class="quiet" onClick={clear}>
            New chat
          </button>
        )}
      </header>
      <main>
        {messages.length === 0 ? (
          <Welcome onPick={(text) => void send(text, undefined)} />
        ) : (
          <ol class="messages" aria-live="polite" aria-busy={busy}>
            {messages.map((message, index) => (
              <MessageView key={index} message={message} />
            ))}
          </ol>
        )}
        <div ref={end} />
      </main>
      <Composer
        busy={busy}
        ready={facts !== undefined}
        onSend={(text, thinkingBudget) => void send(text, thinkingBudget)}
        onStop={stop}
      />
    </>
  );
}

function Welcome({ onPick }: { onPick: (text: string) => void }): JSX.Element {
  return (
    <section class="welcome">
      <h2>Long thoughts, small memory</h2>
      <p>A lightning-attention model is running on this machine. Watch it think:</p>
      <ul>
        {examples.map((example) => (
          <li key={example}>
            <button type="button" onClick={() => onPick(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
