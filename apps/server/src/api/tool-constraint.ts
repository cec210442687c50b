import type { Constraint } from "@levin/model";
import { ApiError } from "./api-error.ts";
import { checked } from "./checked-constraint.ts";
import { usesTools, type FunctionDefinition, type ToolUse } from "./tools.ts";

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
