import { showKey } from "../answers/server-request.ts";
import type { FunctionDefinition } from "../tools/tool.ts";
import type { Comparison } from "./comparison.ts";
import { useEffect, useState } from "preact/hooks";

/** What whoever chats has chosen; kept in this browser. */
export interface Settings {
  theme: "system" | "light" | "dark";
  /** Tokens that a thought may take; null is no limit. */
  budget: number | null;
  /** Where the model runs. */
  place: "server" | "tab";
  /** What a model in the tab computes on. */
  backend: "wasm" | "webgpu";
  /** Which of several models is asked; empty for the first. */
  model: string;
  /** Of the server; empty where none is needed. */
  apiKey: string;
  comparison: Comparison;
  /** Whether the state is shown against a softmax cache. */
  showsMemory: boolean;
  /** Names of the tools that models are told of. */
  tools: readonly string[];
  /** Tools whose results are typed in. */
  ownTools: readonly FunctionDefinition[];
}

const initial: Settings = {
  theme: "system",
  budget: null,
  place: "server",
  backend: "wasm",
  model: "",
  apiKey: "",
  comparison: "none",
  showsMemory: false,
  tools: [],
  ownTools: [],
};

const key = "levin-settings";

export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, setSettings] = useState<Settings>(() => ({ ...initial, ...kept() }));
  useEffect(() => {
    document.documentElement.dataset["theme"] = settings.theme;
  }, [settings.theme]);
  // Before any request of this drawing.
  showKey(settings.apiKey);
  const change = (changed: Partial<Settings>): void => {
    setSettings((now) => ({ ...now, ...changed }));
    // What another tab has changed meanwhile stays.
    localStorage.setItem(key, JSON.stringify({ ...kept(), ...changed }));
  };
  return [settings, change];
}

function kept(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Settings>;
  } catch {
    return {};
  }
}
