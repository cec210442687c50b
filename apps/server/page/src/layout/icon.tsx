import type { JSX } from "preact";

/** Lines in a square of 24. */
const paths = {
  attach:
    "m21 11-9.200 9.200a5.500 5.500 0 0 1-7.800-7.800L13.200 3.200a3.700 3.700 0 0 1 5.200 5.200l-9.200 9.200a1.800 1.800 0 0 1-2.600-2.600L15 6.600",
  branch:
    "M7 4v9m0 0a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm10-9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm0 6c0 4-4 4-7.500 4.500",
  check: "m5 12.500 4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  edit: "m4 20 1-4.500L16.500 4l3.500 3.500L8.500 19z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  left: "m14 6-6 6 6 6",
  menu: "M4 6.500h16M4 12h16M4 17.500h16",
  more: "M5 11.500v1M12 11.500v1M19 11.500v1",
  plus: "M12 5v14M5 12h14",
  retry: "M19.500 12a7.500 7.500 0 1 1-2.200-5.300L20 9.400M20 4v5.400h-5.400",
  right: "m10 6 6 6-6 6",
  search: "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Zm5 11.500L20 20",
  send: "M12 19V5m-6 6 6-6 6 6",
  stop: "M7 7h10v10H7z",
  tool: "M14.500 6.500a4 4 0 0 0-5 5L4 17l3 3 5.500-5.500a4 4 0 0 0 5-5L15 12l-3-3z",
  trash: "M4 7h16M9 7V4h6v3M6.500 7l1 13h9l1-13",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon-lines" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
