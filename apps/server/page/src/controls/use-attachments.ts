import { useCallback, useState } from "preact/hooks";
import type { Attachment } from "../chats/conversation.ts";
import { readFiles } from "./read-files.ts";

/** A pasted text beyond so many characters becomes a file of its own. */
const longPaste = 2000;

/** Files and long pastes that go with the next question. */
export interface AttachmentList {
  list: readonly Attachment[];
  /** Why the last file could not be taken. */
  problem: string | undefined;
  add: (files: Iterable<File>) => void;
  /** Takes a long text that is pasted; a short one goes where it is pasted. */
  paste: (event: ClipboardEvent) => void;
  remove: (attachment: Attachment) => void;
  clear: () => void;
}

export function useAttachments(): AttachmentList {
  const [list, setList] = useState<readonly Attachment[]>([]);
  const [problem, setProblem] = useState<string>();
  const take = useCallback((more: readonly Attachment[]): void => {
    setProblem(undefined);
    setList((now) => [...now, ...more]);
  }, []);
  const add = useCallback(
    (files: Iterable<File>) =>
      void readFiles(files).then(take, (error: Error) => setProblem(error.message)),
    [take],
  );
  return {
    list,
    problem,
    add,
    paste(event) {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (text.length < longPaste) return;
      event.preventDefault();
      take([{ name: "Pasted text", text }]);
    },
    remove: (gone) => setList((now) => now.filter((other) => other !== gone)),
    clear: () => setList([]),
  };
}
