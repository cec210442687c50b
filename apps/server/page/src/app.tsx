import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Bolt } from "./bolt.tsx";
import { unlimited, type ThinkingBudget } from "./budget-slider.tsx";
import { Composer } from "./composer.tsx";
import { useConversation } from "./conversation.ts";
import { MessageView } from "./message-view.tsx";
import { useModelFacts, type ModelFacts } from "./model-facts.ts";
import { useStickToEnd } from "./stick-to-end.ts";
import { Welcome } from "./welcome.tsx";

/** The whole page: header, conversation, composer. */
export function App(): JSX.Element {
  const facts = useModelFacts();
  const { messages, busy, send, stop, clear } = useConversation(facts?.id ?? "");
  const [budget, setBudget] = useState<ThinkingBudget>(unlimited);
  const scroller = useStickToEnd(messages);
  const ready = facts !== undefined;
  const ask = (text: string): void => void send(text, budget);
  return (
    <>
      <header>
        <span class="logo">
          <Bolt />
        </span>
        <div>
          <h1>Levin</h1>
          <p>{facts ? <Facts {...facts} /> : "waiting for the server…"}</p>
        </div>
        {messages.length > 0 && (
          <button type="button" class="quiet" onClick={clear}>
            New chat
          </button>
        )}
      </header>
      <main ref={scroller}>
        {messages.length === 0 ? (
          <Welcome ready={ready} onPick={ask} />
        ) : (
          <ol class="messages" aria-live="polite" aria-busy={busy}>
            {messages.map((message, index) => (
              <MessageView key={index} message={message} />
            ))}
          </ol>
        )}
      </main>
      <Composer
        busy={busy}
        ready={ready}
        budget={budget}
        onBudget={setBudget}
        onSend={ask}
        onStop={stop}
      />
    </>
  );
}

function Facts({ id, parameters, state }: ModelFacts): JSX.Element {
  return (
    <>
      <strong>{id}</strong>
      {parameters && ` · ${parameters}`}
      {state && <span class="wide"> · {state}</span>}
    </>
  );
}
