import { builtInTools } from "./built-in-tools.ts";
import type { FunctionDefinition } from "./tool.ts";

/**
 * Function definitions of a pasted text: one or a list, in OpenAI's form or without its wrapping.
 * @throws Error telling what was expected
 */
export function parseTools(text: string): FunctionDefinition[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`expected JSON: ${(error as Error).message}`, { cause: error });
  }
  const definitions = (Array.isArray(json) ? json : [json]).map(toDefinition);
  if (definitions.length === 0) throw new Error("expected a function, found an empty list");
  return definitions;
}

function toDefinition(json: unknown): FunctionDefinition {
  if (!isObject(json)) throw new Error("expected a function as an object with a name");
  const { name, description, parameters } = isObject(json["function"]) ? json["function"] : json;
  if (typeof name !== "string" || !/^[\w-]{1,64}$/.test(name)) {
    throw new Error(
      `expected a name of 1 to 64 letters, digits, _ or -, found ${JSON.stringify(name) ?? "none"}`,
    );
  }
  if (builtInTools.some(({ definition }) => definition.name === name)) {
    throw new Error(`${name}: expected another name, this is a tool of the page`);
  }
  if (description !== undefined && typeof description !== "string") {
    throw new Error(`${name}: expected a text as its description`);
  }
  if (parameters !== undefined && !isObject(parameters)) {
    throw new Error(`${name}: expected a JSON Schema as its parameters`);
  }
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters && { parameters }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
