import type { JSX, RefObject } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { useAnswers } from "./answers/use-answers.ts";
import { ConversationView } from "./chats/conversation-view.tsx";
import { isRunning, pathTo, tokensOf } from "./chats/conversation.ts";
import { exportConversation } from "./chats/export-conversation.ts";
import { messageActions } from "./chats/message-actions.ts";
import { Sidebar } from "./chats/sidebar.tsx";
import { Spoken } from "./chats/spoken.tsx";
import { useStickToEnd } from "./chats/stick-to-end.ts";
import { useChats } from "./chats/use-chats.ts";
import { Welcome } from "./chats/welcome.tsx";
import { Composer } from "./controls/composer.tsx";
import { variantsOf } from "./controls/comparison.ts";
import { useShortcuts } from "./controls/shortcuts.ts";
import { useSettings } from "./controls/use-settings.ts";
import { Header } from "./layout/header.tsx";
import { ShortcutList } from "./layout/shortcut-list.tsx";
import { PageMenu } from "./layout/page-menu.tsx";
import { isWide, useListOpen } from "./layout/use-list-open.ts";
import { MemoryCard } from "./model/memory-card.tsx";
import { useModels } from "./model/use-models.ts";
import { ToolPanel } from "./tools/tool-panel.tsx";

/** The whole page: list of conversations, header, conversation, composer. */
export function App(): JSX.Element {
  const [settings, setSettings] = useSettings();
  const askable = useModels(settings);
  const { models, source, status } = askable;
  const [facts] = models;
  const chats = useChats();
  const answers = useAnswers(chats);
  const [isListOpen, setListOpen] = useListOpen();
  const searchField = useRef<HTMLInputElement>(null);
  const questionField = useRef<HTMLTextAreaElement>(null);
  const { current } = chats;
  const path = useMemo(() => pathTo(current), [current]);
  const scroller = useStickToEnd(path, current.id);
  const actions = messageActions(chats, answers, variantsOf(settings, askable));
  const isEmpty = path.length === 0;
  const shortcutList = useRef<HTMLDialogElement>(null);
  useShortcuts({
    search: () => {
      setListOpen(true);
      focusDrawn(searchField, isListOpen);
    },
    newChat: () => chats.open(),
    write: () => questionField.current?.focus(),
    stop: () => answers.stop(current),
    help: () => shortcutList.current?.showModal(),
  });
  const onPicked = (): void => {
    if (!isWide()) setListOpen(false);
    questionField.current?.focus();
  };
  return (
    <>
      <Sidebar
        chats={chats}
        isOpen={isListOpen}
        searchField={searchField}
        onPicked={onPicked}
        onClose={() => setListOpen(false)}
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
            models={models}
            onSettings={setSettings}
            onShortcuts={() => shortcutList.current?.showModal()}
            onExport={isEmpty ? undefined : (form) => exportConversation(current, form)}
          />
        </Header>
        <main ref={scroller}>
          {settings.showsMemory && facts && <MemoryCard facts={facts} tokens={tokensOf(path)} />}
          {isEmpty ? (
            <Welcome ready={facts !== undefined} onPick={(text) => actions.send(text, [])} />
          ) : (
            <ConversationView conversation={current} actions={actions} models={models} />
          )}
        </main>
        <Composer
          field={questionField}
          busy={isRunning(current)}
          settings={settings}
          onSettings={setSettings}
          source={source}
          facts={facts}
          onSend={actions.send}
          onStop={() => answers.stop(current)}
        />
        <Spoken last={path.at(-1)} />
        <ShortcutList dialog={shortcutList} />
        <ToolPanel settings={settings} onSettings={setSettings} />
      </div>
    </>
  );
}

/** Focuses a field at once, so that no key is lost, or when it will be drawn. */
function focusDrawn(field: RefObject<HTMLElement | null>, isDrawn: boolean): void {
  const focus = (): void => field.current?.focus();
  if (isDrawn) focus();
  else requestAnimationFrame(focus);
}
