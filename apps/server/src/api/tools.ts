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

/** Whether one of the allowed functions may or must be called. */
export const allowedMode = z.enum(["auto", "required"]);

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
        z.object({
          type: z.literal("allowed_tools"),
          allowed_tools: z.object({
            mode: allowedMode,
            tools: z.array(
              z.object({
                type: z.literal("function"),
                function: z.object({ name: functionName }),
              }),
            ),
          }),
        }),
      ],
      { error: "expected none, auto, required, a function by its name, or allowed_tools" },
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
  /** Names of those that may be called; default: all. The model is told of all. */
  allowed?: readonly string[];
  parallel: boolean;
}

/** What a chat request says of tools. */
export function toolUse(request: {
  [Field in keyof typeof toolFields]?: z.output<(typeof toolFields)[Field]>;
}): ToolUse {
  const choice = request.tool_choice ?? "auto";
  return {
    functions: (request.tools ?? []).map((tool) => tool.function),
    ...toolChoice(choice),
    parallel: request.parallel_tool_calls ?? true,
  };
}

function toolChoice(
  choice: NonNullable<z.output<(typeof toolFields)["tool_choice"]>>,
): Pick<ToolUse, "choice" | "allowed"> {
  if (typeof choice === "string") return { choice };
  if (choice.type === "function") return { choice: choice.function };
  const { mode, tools } = choice.allowed_tools;
  return { choice: mode, allowed: tools.map((tool) => tool.function.name) };
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
  const functions = callable(use);
  if (functions.length === 0 && choice !== "auto" && choice !== "none") {
    throw missingTool("at least one tool");
  }
  if (functions.length === 0 || !usesTools(use)) return form;
  const call: Constraint = {
    type: "sequence",
    parts: [{ type: "choice", options: functions.map(callConstraint) }, literal("\n")],
  };
  const calls: Constraint = {
    type: "sequence",
    parts: [
      literal("\n"),
      { type: "repeat", of: call, min: 1, ...((isNamed || !parallel) && { max: 1 }) },
      mark("</tool_calls>"),
    ],
  };
  if (choice === "auto" && !form) {
    return checked({ type: "triggered", trigger: opening, follows: calls }, "tools");
  }
  const only: Constraint = { type: "sequence", parts: [mark(opening), calls] };
  // Together they may be too large, though each alone is not.
  return checked(
    choice === "auto" && form ? { type: "choice", options: [form, only] } : only,
    "tools",
  );
}

/**
 * The functions that a choice leaves.
 * @throws ApiError (400) when it names one that is not there
 */
function callable({ functions, choice, allowed }: ToolUse): readonly FunctionDefinition[] {
  const names = typeof choice === "object" ? [choice.name] : allowed;
  return names
    ? names.map((name) => {
        const found = functions.find((one) => one.name === name);
        if (found) return found;
        throw missingTool(`a tool named "${name}"`);
      })
    : functions;
}

function missingTool(expected: string): ApiError {
  return new ApiError(400, `tool_choice: expected ${expected} in tools`, { param: "tool_choice" });
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
const mark = (text: string): Constraint => ({ type: "mark", text });
