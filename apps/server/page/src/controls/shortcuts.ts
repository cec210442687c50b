import { useEffect } from "preact/hooks";

/** What keys do; ⌘ stands for Ctrl on a Mac. */
export const shortcuts = [
  { name: "search", keys: "Ctrl K", words: "Search conversations" },
  { name: "newChat", keys: "Ctrl Shift O", words: "New chat" },
  { name: "write", keys: "/", words: "Write a question" },
  { name: "stop", keys: "Esc", words: "Stop the answer" },
  { name: "help", keys: "?", words: "This list" },
] as const;

export type ShortcutActions = Record<(typeof shortcuts)[number]["name"], () => void>;

/** Keys that work anywhere on the page; single ones only where nobody is writing. */
export function useShortcuts(actions: ShortcutActions): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const name = nameOf(event);
      if (name === undefined) return;
      // Escape closes menus and dialogs too.
      if (name !== "stop") event.preventDefault();
      actions[name]();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [actions]);
}

function nameOf(event: KeyboardEvent): keyof ShortcutActions | undefined {
  const { shiftKey, altKey, target } = event;
  // Caps Lock changes nothing.
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (altKey) return undefined;
  if (key === "Escape") return "stop";
  if (event.ctrlKey || event.metaKey) {
    if (key === "k") return "search";
    return shiftKey && key === "o" ? "newChat" : undefined;
  }
  const isWriting = target instanceof Element && target.matches("input, textarea");
  if (isWriting) return undefined;
  return key === "/" ? "write" : key === "?" ? "help" : undefined;
}
