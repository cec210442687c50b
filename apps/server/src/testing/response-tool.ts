import type OpenAI from "openai";

/** A function that scripts call in the tests of responses. */
export const tools: OpenAI.Responses.FunctionTool[] = [
  {
    type: "function",
    name: "add",
    strict: true,
    parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] },
  },
];
