import type { JSX } from "preact";
import { Icon, type IconName } from "./icon.tsx";

interface IconButtonProps extends Omit<JSX.IntrinsicElements["button"], "icon" | "class"> {
  icon: IconName;
  /** What it does, for eyes that hover and for screen readers. */
  label: string;
  /** Beside `icon`. */
  class?: string;
}

/** A button that shows only an icon. */
export function IconButton({ icon, label, class: more, ...rest }: IconButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={more === undefined ? "icon" : `icon ${more}`}
      title={label}
      aria-label={label}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}
