import type { ComponentChildren, JSX } from "preact";

interface ChoiceProps<Name extends string> {
  legend: string;
  /** Words for each. */
  options: Readonly<Record<Name, string>>;
  chosen: Name;
  /** Which can't be chosen; default: none. */
  isOff?: (name: Name) => boolean;
  onChoose: (name: Name) => void;
  children?: ComponentChildren;
}

/** One of several, as radio buttons; what belongs with them are its children. */
export function Choice<Name extends string>(props: ChoiceProps<Name>): JSX.Element {
  const { legend, options, chosen, isOff = () => false, onChoose, children } = props;
  return (
    <fieldset>
      <legend>{legend}</legend>
      {(Object.entries(options) as [Name, string][]).map(([name, words]) => (
        <label key={name}>
          <input
            type="radio"
            name={legend}
            disabled={isOff(name)}
            checked={chosen === name}
            onChange={() => onChoose(name)}
          />
          {words}
        </label>
      ))}
      {children}
    </fieldset>
  );
}
