import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Settings } from "../controls/use-settings.ts";
import { IconButton } from "./icon-button.tsx";

interface PageMenuProps {
  settings: Settings;
  onSettings: (change: Partial<Settings>) => void;
  /** Undefined when there is nothing to export. */
  onExport: ((form: "md" | "json") => void) | undefined;
}

const themes = { system: "As the system", light: "Light", dark: "Dark" } as const;

const places = {
  server: { words: "On the server", place: "server", backend: "wasm" },
  tab: { words: "In this tab, works offline", place: "tab", backend: "wasm" },
  gpu: { words: "In this tab, on its GPU", place: "tab", backend: "webgpu" },
} as const;

/** Settings, and what is needed less often. */
export function PageMenu({ settings, onSettings, onExport }: PageMenuProps): JSX.Element {
  const menu = useRef<HTMLDivElement>(null);
  const doing = (action: () => void) => () => {
    menu.current?.hidePopover();
    action();
  };
  return (
    <>
      <IconButton icon="more" label="Menu" popovertarget="page-menu" />
      <div ref={menu} id="page-menu" popover="auto" class="menu">
        <fieldset>
          <legend>Run the model</legend>
          {Object.entries(places).map(([name, { words, place, backend }]) => (
            <label key={name}>
              <input
                type="radio"
                name="place"
                disabled={backend === "webgpu" && !("gpu" in navigator)}
                checked={
                  settings.place === place && (place === "server" || settings.backend === backend)
                }
                onChange={() => onSettings({ place, backend })}
              />
              {words}
            </label>
          ))}
        </fieldset>
        <fieldset>
          <legend>Theme</legend>
          {Object.entries(themes).map(([theme, words]) => (
            <label key={theme}>
              <input
                type="radio"
                name="theme"
                checked={settings.theme === theme}
                onChange={() => onSettings({ theme: theme as Settings["theme"] })}
              />
              {words}
            </label>
          ))}
        </fieldset>
        <fieldset>
          <legend>Export this chat</legend>
          {(["md", "json"] as const).map((form) => (
            <button
              key={form}
              type="button"
              class="plain"
              disabled={!onExport}
              onClick={doing(() => onExport?.(form))}
            >
              {form === "md" ? "As Markdown" : "As JSON, with all branches"}
            </button>
          ))}
        </fieldset>
      </div>
    </>
  );
}
