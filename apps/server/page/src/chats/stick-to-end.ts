import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** So near the end that whoever reads there wants to see what comes next. */
const nearPixels = 80;

/**
 * Keeps an element scrolled to its end as it grows, unless someone scrolled up to read; a new item,
 * or another list of items, is always shown.
 */
export function useStickToEnd(
  items: readonly unknown[],
  list: string,
): RefObject<HTMLElement | null> {
  const element = useRef<HTMLElement>(null);
  const before = useRef({ height: 0, count: 0, list });
  useLayoutEffect(() => {
    const scroller = element.current;
    if (!scroller) return;
    const { scrollTop, clientHeight, scrollHeight } = scroller;
    const { height, count, list: listBefore } = before.current;
    const wasAtEnd = height - scrollTop - clientHeight < nearPixels;
    if (wasAtEnd || items.length !== count || list !== listBefore) {
      scroller.scrollTop = scrollHeight;
    }
    before.current = { height: scrollHeight, count: items.length, list };
  }, [items, list]);
  return element;
}
