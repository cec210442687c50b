import { useEffect, useState } from "preact/hooks";

/** What whoever chats has chosen; kept in this browser. */
export interface Settings {
  theme: "system" | "light" | "dark";
  /** Tokens that a thought may take; null is no limit. */
  budget: number | null;
}

const initial: Settings = { theme: "system", budget: null };

const key = "levin-settings";

export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, setSettings] = useState<Settings>(() => ({ ...initial, ...kept() }));
  useEffect(() => {
    localStorage.setItem(key, JSON.stringify(settings));
  }, [settings]);
  useEffect(() => {
    document.documentElement.dataset["theme"] = settings.theme;
  }, [settings.theme]);
  return [settings, (change) => setSettings((now) => ({ ...now, ...change }))];
}

function kept(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Settings>;
  } catch {
    return {};
  }
}
