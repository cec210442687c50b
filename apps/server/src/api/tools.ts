import type { ToolDefinition } from "@levin/tokenizer";
import { z } from "zod";

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
