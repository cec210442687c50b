import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** So near the end that whoever reads there wants to see what comes next. */
const nearPixels = 80;

/** Keeps an element scrolled to its end as it grows, unless someone scrolled up to read. */
export function useStickToEnd(items: readonly unknown[]): RefObject<HTMLElement | null> {
  const element = useRef<HTMLElement>(null);
  const heightBefore = useRef(0);
  const countBefore = useRef(0);
  useLayoutEffect(() => {
    const scroller = element.current;
    if (!scroller) return;
    const { scrollTop, clientHeight, scrollHeight } = scroller;
    const wasAtEnd = heightBefore.current - scrollTop - clientHeight < nearPixels;
    if (wasAtEnd || items.length !== countBefore.current) scroller.scrollTop = scrollHeight;
    heightBefore.current = scrollHeight;
    countBefore.current = items.length;
  }, [items]);
  return element;
}
