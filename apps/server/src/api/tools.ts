import type { Constraint } from "@levin/model";
import type { ToolDefinition } from "@levin/tokenizer";
import { z } from "zod";
import { ApiError } from "./api-error.ts";
import { checked } from "./response-format.ts";

export const functionName = z
  .string()
  .regex(/^[\w-]{1,64}$/, "expected 1 to 64 letters, digits, underscores or dashes");

/** A function that the model may call. */
export const functionDefinition = z.object({
  name: functionName,
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

const choiceModes = ["none", "auto", "required"] as const;

/** Parameters of chat completions about tools. */
export const toolFields = {
  tools: z
    .array(
      z.object({
        type: z.literal("function", { error: "only tools of type function are supported" }),
        function: functionDefinition,
      }),
    )
    .max(128)
    .nullish(),
  tool_choice: z
    .union(
      [
        z.enum(choiceModes),
        z.object({ type: z.literal("function"), function: z.object({ name: functionName }) }),
      ],
      { error: "expected none, auto, required, or a function by its name" },
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
};

/** Calls that an earlier answer made. */
export const messageToolCalls = z
  .array(
    z.object({
      id: z.string(),
      type: z.literal("function").optional(),
      function: z.object({ name: z.string(), arguments: z.string() }),
    }),
  )
  .nullish();

export type FunctionDefinition = z.output<typeof functionDefinition>;

/** Which functions an answer may or must call. */
export interface ToolUse {
  functions: readonly FunctionDefinition[];
  choice: (typeof choiceModes)[number] | { name: string };
  parallel: boolean;
}

/** What a chat request says of tools. */
export function toolUse(request: {
  [Field in keyof typeof toolFields]?: z.output<(typeof toolFields)[Field]>;
}): ToolUse {
  const choice = request.tool_choice ?? "auto";
  return {
    functions: (request.tools ?? []).map((tool) => tool.function),
    choice: typeof choice === "string" ? choice : choice.function,
    parallel: request.parallel_tool_calls ?? true,
  };
}

/** Whether the model is told of tools, and its calls are looked for. */
export function usesTools({ functions, choice }: ToolUse): boolean {
  return functions.length > 0 && choice !== "none";
}

/** The functions as a chat template takes them. */
export function toolDefinitions(use: ToolUse): ToolDefinition[] {
  if (!usesTools(use)) return [];
  return use.functions.map(({ name, description, parameters }) => ({
    type: "function",
    function: {
      name,
      ...(description != null && { description }),
      ...(parameters && { parameters }),
    },
  }));
}

const opening = "<tool_calls>";

/**
 * Keeps an answer to its form or to calls of M1's form, whichever is asked for: every call names a
 * known function and has arguments of its schema.
 *
 * @param form what the answer must be if it calls nothing
 * @throws ApiError (400) for a choice of a function that is not there, or a strict schema that
 *   cannot be kept
 */
export function toolConstraint(use: ToolUse, form: Constraint | undefined): Constraint | undefined {
  const { choice, parallel } = use;
  const isNamed = typeof choice === "object";
  const functions = isNamed
    ? use.functions.filter(({ name }) => name === choice.name)
    : use.functions;
  if (functions.length === 0 && choice !== "auto" && choice !== "none") {
    const asked = isNamed ? `a tool named "${choice.name}"` : "at least one tool";
    throw new ApiError(400, `tool_choice: expected ${asked} in tools`, { param: "tool_choice" });
  }
  if (!usesTools(use)) return form;
  const call: Constraint = {
    type: "sequence",
    parts: [{ type: "choice", options: functions.map(callConstraint) }, literal("\n")],
  };
  const calls: Constraint = {
    type: "sequence",
    parts: [
      literal("\n"),
      { type: "repeat", of: call, min: 1, ...((isNamed || !parallel) && { max: 1 }) },
      literal("</tool_calls>"),
    ],
  };
  if (choice === "auto" && !form) {
    return checked({ type: "triggered", trigger: opening, follows: calls }, "tools");
  }
  const only: Constraint = { type: "sequence", parts: [literal(opening), calls] };
  // Together they may be too large, though each alone is not.
  return checked(
    choice === "auto" && form ? { type: "choice", options: [form, only] } : only,
    "tools",
  );
}

/** `{"name": "…", "arguments": {…}}` */
function callConstraint(definition: FunctionDefinition): Constraint {
  const head = `{"name": ${JSON.stringify(definition.name)}, "arguments": `;
  return {
    type: "sequence",
    parts: [literal(head), argumentsConstraint(definition), literal("}")],
  };
}

/** Arguments of a schema; any object where it can't be kept and need not be. */
function argumentsConstraint({ name, parameters, strict }: FunctionDefinition): Constraint {
  if (!parameters) return { type: "json_object" };
  const schema = { type: "object", ...parameters };
  try {
    return checked({ type: "json_schema", schema }, `tools: ${name}`);
  } catch (error) {
    if (strict) throw error;
    return { type: "json_object" };
  }
}

const literal = (text: string): Constraint => ({ type: "text", text });
