import { ConstraintError } from "./constraint.ts";
import { areDistinct } from "./distinct-options.ts";
import { choice, optional, repeat, rule, sequence, text, type Expression } from "./expression.ts";
import {
  jsonLiteral,
  jsonObject,
  jsonString,
  jsonValue,
  jsonNumber,
  member,
  separated,
  space,
} from "./json-expression.ts";
import { decimalsWithin, integersWithin, type NumberLimits } from "./number-ranges.ts";
import { resolvePointer } from "./json-pointer.ts";
import {
  keywordsOf,
  onlyKeywords,
  schemaError,
  type Keywords,
  type SchemaType,
} from "./schema-keywords.ts";
import { stringExpression } from "./string-schema.ts";

/** Characters of the largest schema, and how deep it may be nested. */
const maximalLength = 128 * 1024;
const maximalDepth = 100;

/**
 * JSON texts that satisfy a JSON Schema. Supported: `type`, `properties` (written in their order),
 * `required`, `additionalProperties`, `items`, `prefixItems`, `minItems`, `maxItems`, `enum`, `const`,
 * `anyOf`, `oneOf` of options that exclude each other, `allOf` of one, `propertyNames`, `$ref` within the schema, `minLength`, `maxLength`, `pattern`, some of
 * `format`, and limits of numbers. Properties without a name in the schema are written only where it
 * names none: leaving them out satisfies it too.
 *
 * @throws ConstraintError naming the first keyword that cannot be kept
 */
export function jsonSchemaExpression(schema: unknown): Expression {
  checkSize(schema);
  return new SchemaCompiler(schema).compile(schema, "");
}

class SchemaCompiler {
  readonly #root: unknown;
  readonly #references = new Map<string, Expression>();

  constructor(root: unknown) {
    this.#root = root;
  }

  /** @param where path of the schema with a point at its end, for errors */
  compile(schema: unknown, where: string): Expression {
    if (schema === true) return jsonValue;
    if (schema === false) return choice();
    const keywords = keywordsOf(schema, where);
    const { $ref, anyOf, oneOf, allOf } = keywords;
    if ($ref !== undefined) {
      onlyKeywords(keywords, ["$ref"], where);
      return this.#reference($ref, where);
    }
    if (anyOf) {
      onlyKeywords(keywords, ["anyOf"], where);
      return choice(...anyOf.map((option, i) => this.compile(option, `${where}anyOf[${i}].`)));
    }
    if (oneOf) {
      onlyKeywords(keywords, ["oneOf"], where);
      const options = oneOf.map((option, i) => ({
        expression: this.compile(option, `${where}oneOf[${i}].`),
        keywords: keywordsOf(this.#resolved(option), `${where}oneOf[${i}].`),
      }));
      if (!areDistinct(options.map((option) => option.keywords))) {
        const expected =
          "expected options of different types, or objects that differ in a required constant";
        throw schemaError(where, "oneOf", expected);
      }
      return choice(...options.map(({ expression }) => expression));
    }
    if (allOf) {
      onlyKeywords(keywords, ["allOf"], where);
      return this.compile(allOf[0], `${where}allOf[0].`);
    }
    if (keywords.enum || "const" in keywords) return literals(keywords, where);
    const types = typesOf(keywords);
    return types === undefined
      ? jsonValue
      : choice(...types.map((type) => this.#typed(type, keywords, where)));
  }

  #typed(type: SchemaType, keywords: Keywords, where: string): Expression {
    switch (type) {
      case "object":
        return this.#object(keywords, where);
      case "array":
        return this.#array(keywords, where);
      case "string":
        return stringExpression(keywords, where);
      case "integer":
        return integersWithin(keywords);
      case "number":
        return numberExpression(keywords, where);
      case "boolean":
        return choice(jsonLiteral(true), jsonLiteral(false));
      case "null":
        return jsonLiteral(null);
    }
  }

  #object(keywords: Keywords, where: string): Expression {
    const { properties = {}, required = [], additionalProperties = true } = keywords;
    const named = new Map(Object.entries(properties));
    for (const name of required) if (!named.has(name)) named.set(name, additionalProperties);
    if (named.size === 0) {
      if (additionalProperties === true && keywords.propertyNames === undefined) return jsonObject;
      const value = this.compile(additionalProperties, `${where}additionalProperties.`);
      if (additionalProperties === false) return sequence(text("{"), space, text("}"));
      return separated("{", member(this.#propertyName(keywords, where), value), "}");
    }
    checkNames([...named.keys()], keywords, where);
    const members = [...named].map(([name, value]) => ({
      isRequired: required.includes(name),
      written: member(jsonLiteral(name), this.compile(value, `${where}properties.${name}.`)),
    }));
    return sequence(text("{"), space, optionalMembers(members), text("}"));
  }

  /** Names are strings whether their schema says so or not. */
  #propertyName({ propertyNames: names }: Keywords, where: string): Expression {
    if (names === undefined || names === true) return jsonString();
    const schema = typeof names === "object" ? { type: "string", ...names } : names;
    return this.compile(schema, `${where}propertyNames.`);
  }

  /** What a schema is, or refers to. */
  #resolved(schema: unknown): unknown {
    const { $ref } = (schema ?? {}) as { $ref?: unknown };
    return typeof $ref === "string" ? resolvePointer(this.#root, $ref) : schema;
  }

  #array(keywords: Keywords, where: string): Expression {
    const { prefixItems = [], items = true, minItems = 0, maxItems = Infinity } = keywords;
    const first = prefixItems.map((item, i) => this.compile(item, `${where}prefixItems[${i}].`));
    const rest = this.compile(items, `${where}items.`);
    const most = items === false ? Math.min(maxItems, first.length) : maxItems;
    if (minItems > most) throw schemaError(where, "minItems", `expected at most ${most}`);
    if (first.length === 0)
      return separated(
        "[",
        rule(() => rest),
        "]",
        minItems,
        most,
      );
    return tuple(first, rest, minItems, most);
  }

  #reference($ref: string, where: string): Expression {
    const known = this.#references.get($ref);
    if (known) return known;
    const target = resolvePointer(this.#root, $ref);
    if (target === undefined) throw schemaError(where, "$ref", `found nothing at "${$ref}"`);
    // Known before it is compiled: it may contain itself.
    let expression: Expression | undefined;
    const reference = rule(() => expression!);
    this.#references.set($ref, reference);
    expression = this.compile(target, `${$ref}.`);
    return reference;
  }
}

/** The types a value may have; those that the keywords speak of where `type` is missing. */
function typesOf(keywords: Keywords): readonly SchemaType[] | undefined {
  const { type } = keywords;
  if (type !== undefined) {
    const types = [...new Set([type].flat())];
    return types.includes("number") ? types.filter((other) => other !== "integer") : types;
  }
  const spokenOf = (Object.keys(keywordsOfType) as (keyof typeof keywordsOfType)[]).filter((of) =>
    keywordsOfType[of].some((keyword) => keywords[keyword] !== undefined),
  );
  return spokenOf.length > 0 ? spokenOf : undefined;
}

const keywordsOfType = {
  object: ["properties", "required", "additionalProperties", "propertyNames"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
} as const satisfies Partial<Record<SchemaType, readonly (keyof Keywords)[]>>;

function literals(keywords: Keywords, where: string): Expression {
  const key = keywords.enum ? "enum" : "const";
  onlyKeywords(keywords, [key, "type"], where);
  const types = keywords.type === undefined ? undefined : [keywords.type].flat();
  const values = (keywords.enum ?? [keywords.const]).filter(
    (value) => types === undefined || types.some((type) => hasType(value, type)),
  );
  if (values.length === 0)
    throw schemaError(where, key, `no value has type ${types?.join(" or ")}`);
  return choice(...values.map(jsonLiteral));
}

function hasType(value: unknown, type: SchemaType): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object")
    return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

/** Names of a schema's own properties must be among those that it allows. */
function checkNames(
  names: readonly string[],
  { propertyNames: allowed }: Keywords,
  where: string,
): void {
  if (allowed === undefined || allowed === true) return;
  const { type = "string", ...rules } = typeof allowed === "object" ? (allowed as Keywords) : {};
  const { enum: values, ...others } = rules;
  const isKept =
    typeof allowed === "object" &&
    type === "string" &&
    Object.keys(others).length === 0 &&
    (values === undefined || names.every((name) => values.includes(name)));
  if (!isKept) {
    throw schemaError(
      where,
      "propertyNames",
      "beside properties, only an enum with their names is supported",
    );
  }
}

/** Members in their order, with commas between those that are there. */
function optionalMembers(
  members: readonly { isRequired: boolean; written: Expression }[],
): Expression {
  const comma = sequence(space, text(","), space);
  /** What may follow a member. */
  let rest: Expression = space;
  /** What may stand where none was written yet. */
  let first: Expression = sequence();
  for (const { isRequired, written } of members.toReversed()) {
    const shared = once(rest);
    first = isRequired ? sequence(written, shared) : choice(sequence(written, shared), first);
    const following = sequence(comma, written, shared);
    rest = isRequired ? following : choice(following, shared);
  }
  return first;
}

/** A part that is used in several places and compiled once. */
function once(part: Expression): Expression {
  return rule(() => part);
}

/** The first items each of a kind of their own, then any number of others. */
function tuple(
  first: readonly Expression[],
  rest: Expression,
  min: number,
  max: number,
): Expression {
  const comma = sequence(space, text(","), space);
  const more = repeat(sequence(comma, rest), Math.max(0, min - first.length), max - first.length);
  let after: Expression = max > first.length ? more : sequence();
  const places = first.slice(0, Math.min(first.length, max));
  for (const [i, item] of [...places.entries()].toReversed()) {
    const part = sequence(...(i === 0 ? [] : [comma]), item, after);
    after = i < min ? part : optional(part);
  }
  return sequence(text("["), space, after, space, text("]"));
}

function numberExpression(keywords: Keywords, where: string): Expression {
  const names = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
  const limits: NumberLimits = keywords;
  const given = names.filter((name) => limits[name] !== undefined);
  if (given.length === 0) return jsonNumber;
  const broken = given.find((name) => !Number.isInteger(limits[name]));
  if (broken) throw schemaError(where, broken, "expected a whole number");
  return decimalsWithin(limits);
}

/** Refuses what would take too long, or be nested too deep to follow. */
function checkSize(schema: unknown): void {
  let level = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maximalDepth)
      throw new ConstraintError(`schema: nested deeper than ${maximalDepth}`);
    level = level.flatMap((value) =>
      typeof value === "object" && value !== null ? Object.values(value) : [],
    );
  }
  const { length } = JSON.stringify(schema) ?? "";
  if (length > maximalLength) {
    throw new ConstraintError(
      `schema: expected at most ${maximalLength} characters, found ${length}`,
    );
  }
}
