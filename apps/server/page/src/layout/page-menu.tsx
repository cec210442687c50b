import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { comparisons } from "../controls/comparison.ts";
import type { Settings } from "../controls/use-settings.ts";
import type { ModelFacts } from "../model/model-facts.ts";
import { Choice } from "./choice.tsx";
import { IconButton } from "./icon-button.tsx";

interface PageMenuProps {
  settings: Settings;
  /** Models that can be asked, the chosen one first. */
  models: readonly ModelFacts[];
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
  const { settings, models, onSettings, onShortcuts, onExport } = props;
  const menu = useRef<HTMLDivElement>(null);
  const doing = (action: () => void) => () => {
    menu.current?.hidePopover();
    action();
  };
  return (
    <>
      <IconButton icon="more" label="Menu" popovertarget="page-menu" />
      <div ref={menu} id="page-menu" popover="auto" class="menu">
        <ModelChoices settings={settings} models={models} onSettings={onSettings} />
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

/** Which models answer, and where they run. */
function ModelChoices({
  settings,
  models,
  onSettings,
}: Pick<PageMenuProps, "settings" | "models" | "onSettings">): JSX.Element {
  // In an order that a choice does not change.
  const ids = models.map(({ id }) => id).toSorted((one, other) => one.localeCompare(other));
  return (
    <>
      <Choice
        legend="Run the model"
        options={places}
        chosen={settings.place === "server" ? "server" : settings.backend}
        isOff={(place) =>
          (place !== "server" && !isSecureContext) || (place === "webgpu" && !("gpu" in navigator))
        }
        onChoose={(place) =>
          onSettings(place === "server" ? { place } : { place: "tab", backend: place })
        }
      />
      {models.length > 1 && (
        <Choice
          legend="Model"
          options={Object.fromEntries(ids.map((id) => [id, id]))}
          chosen={models[0]!.id}
          onChoose={(model) => onSettings({ model })}
        />
      )}
      <Choice
        legend="Compare"
        options={comparisons}
        chosen={settings.comparison}
        isOff={(comparison) => comparison === "models" && models.length < 2}
        onChoose={(comparison) => onSettings({ comparison })}
      >
        <label>
          <input
            type="checkbox"
            checked={settings.showsMemory}
            onChange={({ currentTarget }) => onSettings({ showsMemory: currentTarget.checked })}
          />
          Lightning | softmax cost
        </label>
      </Choice>
    </>
  );
}
