import type { ToolCall } from "../chats/conversation.ts";
import { builtInTools } from "./built-in-tools.ts";

/**
 * What a built-in tool says to a call; what is wrong with the call is said too, so that the model can
 * mend it. Undefined for tools that somebody else stands in for.
 */
export function resultOf({ name, arguments: json }: ToolCall): string | undefined {
  const tool = builtInTools.find(({ definition }) => definition.name === name);
  if (!tool) return undefined;
  try {
    // Some engines write nothing where there are no arguments.
    return tool.run(JSON.parse(json.trim() || "{}") as Record<string, unknown>);
  } catch (error) {
    return `error: ${(error as Error).message}`;
  }
}
