import type { Attachment } from "../chats/conversation.ts";

/**
 * Files as text.
 * @throws Error naming the one that is not text
 */
export function readFiles(files: Iterable<File>): Promise<Attachment[]> {
  return Promise.all(
    [...files].map(async (file) => {
      try {
        const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
        return { name: file.name, text };
      } catch {
        throw new Error(`${file.name}: expected a text in UTF-8`);
      }
    }),
  );
}
