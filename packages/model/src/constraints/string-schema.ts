import { ConstraintError } from "./constraint.ts";
import { sequence, text, type Expression } from "./expression.ts";
import { jsonString, jsonStringCharacters } from "./json-expression.ts";
import { patternExpression } from "./regular-expression.ts";
import { schemaError, type Keywords } from "./schema-keywords.ts";
import { stringFormats } from "./string-formats.ts";

/**
 * JSON strings of a length, of a pattern or of a format; a format beside a pattern is a remark.
 * @throws ConstraintError
 */
export function stringExpression(keywords: Keywords, where: string): Expression {
  const { minLength = 0, maxLength = Infinity, pattern, format } = keywords;
  if (minLength > maxLength) {
    throw schemaError(where, "minLength", `expected at most ${maxLength}`);
  }
  const asPattern = pattern ?? formatPattern(format, where);
  if (asPattern === undefined) return jsonString(minLength, maxLength);
  if (keywords.minLength !== undefined || keywords.maxLength !== undefined) {
    const other = keywords.minLength === undefined ? "maxLength" : "minLength";
    throw schemaError(where, other, "is not supported beside pattern and format");
  }
  try {
    const inside = patternExpression(asPattern, {
      characters: jsonStringCharacters,
      searches: true,
    });
    return sequence(text('"'), inside, text('"'));
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error;
    throw new ConstraintError(`schema: ${where}${error.message}`, { cause: error });
  }
}

function formatPattern(format: string | undefined, where: string): string | undefined {
  if (format === undefined) return undefined;
  const pattern = Object.hasOwn(stringFormats, format) ? stringFormats[format] : undefined;
  if (pattern !== undefined) return pattern;
  throw schemaError(where, "format", `"${format}" is not supported`);
}
