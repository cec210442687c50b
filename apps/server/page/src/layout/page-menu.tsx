import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { comparisons } from "../controls/comparison.ts";
import type { Settings } from "../controls/use-settings.ts";
import { Choice } from "./choice.tsx";
import { IconButton } from "./icon-button.tsx";

interface PageMenuProps {
  settings: Settings;
  /** Models that can be asked. */
  modelCount: number;
  onSettings: (change: Partial<Settings>) => void;
  onShortcuts: () => void;
  /** Undefined when there is nothing to export. */
  onExport: ((form: "md" | "json") => void) | undefined;
}

const themes = { system: "As the system", light: "Light", dark: "Dark" } as const;

const places = {
  server: "On the server",
  wasm: "In this tab, works offline",
  webgpu: "In this tab, on its GPU",
} as const;

/** Settings, and what is needed less often. */
export function PageMenu(props: PageMenuProps): JSX.Element {
  const { settings, modelCount, onSettings, onShortcuts, onExport } = props;
  const menu = useRef<HTMLDivElement>(null);
  const doing = (action: () => void) => () => {
    menu.current?.hidePopover();
    action();
  };
  return (
    <>
      <IconButton icon="more" label="Menu" popovertarget="page-menu" />
      <div ref={menu} id="page-menu" popover="auto" class="menu">
        <Choice
          legend="Run the model"
          options={places}
          chosen={settings.place === "server" ? "server" : settings.backend}
          isOff={(place) => place === "webgpu" && !("gpu" in navigator)}
          onChoose={(place) =>
            onSettings(place === "server" ? { place } : { place: "tab", backend: place })
          }
        />
        <Choice
          legend="Compare"
          options={comparisons}
          chosen={settings.comparison}
          isOff={(comparison) => comparison === "models" && modelCount < 2}
          onChoose={(comparison) => onSettings({ comparison })}
        >
          <label>
            <input
              type="checkbox"
              checked={settings.showsMemory}
              onChange={({ currentTarget }) => onSettings({ showsMemory: currentTarget.checked })}
            />
            Lightning | softmax memory
          </label>
        </Choice>
        <Choice
          legend="Theme"
          options={themes}
          chosen={settings.theme}
          onChoose={(theme) => onSettings({ theme })}
        />
        <fieldset>
          <legend>API key of the server</legend>
          <input
            type="password"
            autocomplete="off"
            aria-label="API key of the server"
            placeholder="none"
            value={settings.apiKey}
            onChange={({ currentTarget }) => onSettings({ apiKey: currentTarget.value.trim() })}
          />
        </fieldset>
        <fieldset>
          <legend>Export this chat</legend>
          <button
            type="button"
            class="plain"
            disabled={!onExport}
            onClick={doing(() => onExport?.("md"))}
          >
            As Markdown
          </button>
          <button
            type="button"
            class="plain"
            disabled={!onExport}
            onClick={doing(() => onExport?.("json"))}
          >
            As JSON, with all branches
          </button>
        </fieldset>
        <button type="button" class="plain" onClick={doing(onShortcuts)}>
          Keyboard shortcuts
        </button>
      </div>
    </>
  );
}
