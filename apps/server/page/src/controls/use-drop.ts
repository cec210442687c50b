import { useEffect, useState } from "preact/hooks";

/**
 * Takes files that are dropped anywhere on the page, which the browser would open in its place.
 * @returns whether files are held over it
 */
export function useDrop(onFiles: (files: Iterable<File>) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    addEventListener("dragenter", over, { signal });
    addEventListener("dragover", over, { signal });
    // Without a next element the pointer left the page.
    const leave = ({ relatedTarget }: DragEvent): void => {
      if (relatedTarget === null) setOver(false);
    };
    addEventListener("dragleave", leave, { signal });
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      onFiles(event.dataTransfer.files);
    };
    addEventListener("drop", drop, { signal });
    return () => listeners.abort();
  }, [onFiles]);
  return isOver;
}
