import { useEffect, useState } from "preact/hooks";

const wide = matchMedia("(min-width: 56rem)");

/** Whether there is room for the list of conversations beside the page. */
export const isWide = (): boolean => wide.matches;

/** Whether the list is open: where it would cover the page, only when it is asked for. */
export function useListOpen(): [boolean, (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(isWide);
  useEffect(() => {
    const follow = (): void => setOpen(wide.matches);
    wide.addEventListener("change", follow);
    return () => wide.removeEventListener("change", follow);
  }, []);
  return [isOpen, setOpen];
}
