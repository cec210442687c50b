import type { ComponentChildren, JSX } from "preact";
import { inMillions, inBytes } from "../model/units.ts";
import type { ModelFacts } from "../model/model-facts.ts";
import { IconButton } from "./icon-button.tsx";

interface HeaderProps {
  facts: ModelFacts | undefined;
  /** What there is to wait for, or where the model runs. */
  status: string;
  isListOpen: boolean;
  onToggleList: () => void;
  children?: ComponentChildren;
}

/** Which model is asked, and the buttons of the page. */
export function Header({
  facts,
  status,
  isListOpen,
  onToggleList,
  children,
}: HeaderProps): JSX.Element {
  return (
    <header>
      <IconButton
        icon="menu"
        label="Conversations"
        aria-expanded={isListOpen}
        aria-controls="chats"
        onClick={onToggleList}
      />
      <div class="names">
        <h1>Levin</h1>
        <p role="status">
          {facts && <Facts {...facts} />}
          {facts && status !== "" && " · "}
          {status}
        </p>
      </div>
      {children}
    </header>
  );
}

function Facts({ id, parameters, lightningStateBytes: state }: ModelFacts): JSX.Element {
  return (
    <>
      <strong>{id}</strong>
      {parameters !== undefined && ` · ${inMillions(parameters)}`}
      {state !== undefined && (
        <span class="wide"> · lightning state of {inBytes(state)}, however long the text</span>
      )}
    </>
  );
}
