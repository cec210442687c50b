import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { useAnswers, type Variant } from "./answers/use-answers.ts";
import { ConversationView } from "./chats/conversation-view.tsx";
import { isRunning, pathTo } from "./chats/conversation.ts";
import { exportConversation } from "./chats/export-conversation.ts";
import { messageActions } from "./chats/message-actions.ts";
import { Sidebar } from "./chats/sidebar.tsx";
import { Spoken } from "./chats/spoken.tsx";
import { useStickToEnd } from "./chats/stick-to-end.ts";
import { useChats } from "./chats/use-chats.ts";
import { Welcome } from "./chats/welcome.tsx";
import { Composer } from "./controls/composer.tsx";
import { useSettings } from "./controls/use-settings.ts";
import { Header } from "./layout/header.tsx";
import { PageMenu } from "./layout/page-menu.tsx";
import { stateBytesAfter } from "./model/model-facts.ts";
import { useModels } from "./model/use-models.ts";

const isWide = (): boolean => matchMedia("(min-width: 56rem)").matches;

/** The whole page: list of conversations, header, conversation, composer. */
export function App(): JSX.Element {
  const [settings, setSettings] = useSettings();
  const {
    models: [facts],
    source,
    status,
  } = useModels(settings);
  const chats = useChats();
  const answers = useAnswers(chats);
  const [isListOpen, setListOpen] = useState(isWide);
  const searchField = useRef<HTMLInputElement>(null);
  const questionField = useRef<HTMLTextAreaElement>(null);
  const { current } = chats;
  const path = useMemo(() => pathTo(current), [current]);
  const scroller = useStickToEnd(path, current.id);
  const variants: Variant[] = [
    { source, model: facts?.id ?? "", budget: settings.budget, tools: [] },
  ];
  const actions = messageActions(chats, answers, variants);
  const isEmpty = path.length === 0;
  const onPicked = (): void => {
    if (!isWide()) setListOpen(false);
    questionField.current?.focus();
  };
  return (
    <>
      <Sidebar chats={chats} isOpen={isListOpen} searchField={searchField} onPicked={onPicked} />
      <button
        type="button"
        class="shade"
        aria-label="Close the list of conversations"
        onClick={() => setListOpen(false)}
      />
      <div class="page">
        <Header
          facts={facts}
          status={status}
          isListOpen={isListOpen}
          onToggleList={() => setListOpen(!isListOpen)}
        >
          <PageMenu
            settings={settings}
            onSettings={setSettings}
            onExport={isEmpty ? undefined : (form) => exportConversation(current, form)}
          />
        </Header>
        <main ref={scroller}>
          {isEmpty ? (
            <Welcome ready={facts !== undefined} onPick={(text) => actions.send(text, [])} />
          ) : (
            <ConversationView
              conversation={current}
              actions={actions}
              stateBytes={(tokens) => facts && stateBytesAfter(facts, tokens)}
            />
          )}
        </main>
        <Composer
          field={questionField}
          busy={isRunning(current)}
          ready={facts !== undefined}
          budget={settings.budget}
          onBudget={(budget) => setSettings({ budget })}
          onSend={(text) => actions.send(text, [])}
          onStop={() => answers.stop(current)}
        />
        <Spoken last={path.at(-1)} />
      </div>
    </>
  );
}
