import type { JSX } from "preact";

/** The lightning bolt of the logo. */
export function Bolt(): JSX.Element {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M14 1.500 4 14h6l-1.500 8.500L20 9.500h-6.500z" />
    </svg>
  );
}
