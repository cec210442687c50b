/** As a `ref`: an element that replaces the focused one takes its focus over. */
export function focused(element: HTMLElement | null): void {
  element?.focus();
}
