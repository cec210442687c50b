import { evaluate } from "./exact-arithmetic.ts";
import type { BuiltInTool } from "./tool.ts";

const calculator: BuiltInTool = {
  title: "Calculator",
  definition: {
    name: "calculate",
    description: "Works out an arithmetic expression exactly.",
    parameters: {
      type: "object",
      properties: { expression: { type: "string", description: "Such as (12 + 30) / 4 ^ 2" } },
      required: ["expression"],
      additionalProperties: false,
    },
  },
  run: ({ expression }) => {
    if (typeof expression !== "string") throw new Error('expected a text "expression"');
    return evaluate(expression);
  },
};

const clock: BuiltInTool = {
  title: "Date and time",
  definition: {
    name: "current_time",
    description: "Tells the present date, day of the week and time.",
    parameters: {
      type: "object",
      properties: {
        timezone: { type: "string", description: "Such as Europe/Paris; default: the user's" },
      },
      additionalProperties: false,
    },
  },
  run: ({ timezone }) => {
    const { timeZone: here } = new Intl.DateTimeFormat().resolvedOptions();
    const timeZone = typeof timezone === "string" && timezone !== "" ? timezone : here;
    const now = new Date();
    // An unknown zone throws, and the message names it.
    const local = new Intl.DateTimeFormat("en-GB", {
      dateStyle: "full",
      timeStyle: "long",
      timeZone,
    });
    return `${local.format(now)} (${timeZone}); ${now.toISOString()}`;
  },
};

/** Tools that need nobody's help. */
export const builtInTools: readonly BuiltInTool[] = [calculator, clock];
