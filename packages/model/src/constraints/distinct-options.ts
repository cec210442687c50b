import type { Keywords } from "./schema-keywords.ts";

/**
 * Whether no value can satisfy two of these schemas, as far as can be seen: all have different types, or all are
 * objects that differ in the constant of a required property. Then `oneOf` is `anyOf`.
 */
export function areDistinct(options: readonly Keywords[]): boolean {
  if (haveNoneInCommon(options.map(typesOf))) return true;
  const [first] = options;
  const names = Object.keys(first?.properties ?? {});
  return names.some((name) => haveNoneInCommon(options.map((option) => constantsOf(option, name))));
}

/** Types as texts; undefined where any is possible. Integers are numbers. */
function typesOf({ type }: Keywords): string[] | undefined {
  return type && [type].flat().map((one) => (one === "integer" ? "number" : one));
}

/** The values, as JSON, that a required property of an object can have; undefined where they are not listed. */
function constantsOf(option: Keywords, name: string): string[] | undefined {
  if (option.type !== "object" || !option.required?.includes(name)) return undefined;
  const property = option.properties?.[name];
  if (typeof property !== "object" || property === null) return undefined;
  if ("const" in property) return [JSON.stringify(property.const)];
  const values = "enum" in property ? property.enum : undefined;
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}

function haveNoneInCommon(sets: readonly (readonly string[] | undefined)[]): boolean {
  const seen = new Set<string>();
  for (const set of sets) {
    if (!set || set.some((value) => seen.has(value))) return false;
    for (const value of set) seen.add(value);
  }
  return true;
}
