import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Settings } from "../controls/use-settings.ts";
import { IconButton } from "../layout/icon-button.tsx";
import { builtInTools } from "./built-in-tools.ts";
import { parseTools } from "./own-tools.ts";
import type { FunctionDefinition } from "./tool.ts";

interface ToolPanelProps {
  settings: Settings;
  onSettings: (change: Partial<Settings>) => void;
}

/** Turns tools on and off, and takes own ones. */
export function ToolPanel({ settings, onSettings }: ToolPanelProps): JSX.Element {
  const { tools, ownTools } = settings;
  const without = (name: string): string[] => tools.filter((other) => other !== name);
  const turn = (name: string, isOn: boolean): void =>
    onSettings({ tools: isOn ? [...without(name), name] : without(name) });
  return (
    <section
      id="tool-panel"
      popover="auto"
      class="panel"
      role="dialog"
      aria-labelledby="tools-title"
    >
      <h2 id="tools-title">Tools</h2>
      <p class="note">What the model may call while it answers.</p>
      <ul>
        {builtInTools.map(({ title, definition }) => (
          <ToolItem
            key={definition.name}
            title={title}
            definition={definition}
            isOn={tools.includes(definition.name)}
            onTurn={turn}
          />
        ))}
        {ownTools.map((definition) => (
          <ToolItem
            key={definition.name}
            title={definition.name}
            definition={definition}
            isOn={tools.includes(definition.name)}
            onTurn={turn}
            onRemove={() =>
              onSettings({
                tools: without(definition.name),
                ownTools: ownTools.filter(({ name }) => name !== definition.name),
              })
            }
          />
        ))}
      </ul>
      <NewTools
        onAdd={(added) => {
          const names = new Set(added.map(({ name }) => name));
          onSettings({
            ownTools: [...ownTools.filter(({ name }) => !names.has(name)), ...added],
            tools: [...tools.filter((name) => !names.has(name)), ...names],
          });
        }}
      />
      <button
        type="button"
        class="primary done"
        popovertarget="tool-panel"
        popovertargetaction="hide"
      >
        Done
      </button>
    </section>
  );
}

function ToolItem({
  title,
  definition: { name, description },
  isOn,
  onTurn,
  onRemove,
}: {
  title: string;
  definition: FunctionDefinition;
  isOn: boolean;
  onTurn: (name: string, isOn: boolean) => void;
  onRemove?: () => void;
}): JSX.Element {
  return (
    <li>
      <label>
        <input
          type="checkbox"
          checked={isOn}
          onChange={({ currentTarget }) => onTurn(name, currentTarget.checked)}
        />
        <span>
          {title}
          {description !== undefined && <small>{description}</small>}
        </span>
      </label>
      {onRemove && <IconButton icon="trash" label={`Remove ${name}`} onClick={onRemove} />}
    </li>
  );
}

const example = `{"name": "weather", "description": "…",
 "parameters": {"type": "object",
  "properties": {"city": {"type": "string"}}}}`;

/** Takes function definitions as JSON; whoever chats gives their results. */
function NewTools({
  onAdd,
}: {
  onAdd: (definitions: readonly FunctionDefinition[]) => void;
}): JSX.Element {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const add = (): void => {
    try {
      onAdd(parseTools(text));
      setText("");
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <form
      class="new-tools"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <label>
        Your own, as JSON; when the model calls one, you give the result
        <textarea
          rows={4}
          spellcheck={false}
          placeholder={example}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      {problem !== undefined && (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="plain" disabled={text.trim() === ""}>
        Add
      </button>
    </form>
  );
}
