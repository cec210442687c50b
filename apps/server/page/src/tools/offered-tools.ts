import type { Settings } from "../controls/use-settings.ts";
import { builtInTools } from "./built-in-tools.ts";
import type { FunctionDefinition } from "./tool.ts";

/** The tools that are turned on, as requests name them. */
export function offeredTools({
  tools,
  ownTools,
}: Pick<Settings, "tools" | "ownTools">): { type: "function"; function: FunctionDefinition }[] {
  return [...builtInTools.map(({ definition }) => definition), ...ownTools]
    .filter(({ name }) => tools.includes(name))
    .map((definition) => ({ type: "function", function: definition }));
}
