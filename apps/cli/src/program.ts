import { createRequire } from "node:module";
import { Command } from "commander";
import { addChat } from "./commands/chat.ts";
import { addConvert } from "./commands/convert.ts";
import { addEval } from "./commands/evaluate.ts";
import { addGenerate } from "./commands/generate.ts";
import { addInspect } from "./commands/inspect.ts";
import { addParity } from "./commands/parity.ts";
import { addQuantize } from "./commands/quantize.ts";
import { addReinforce } from "./commands/reinforce.ts";
import { addServerCommands } from "./commands/server-commands.ts";
import { addTrain } from "./commands/train.ts";

/** The command line with all its commands. */
export function createProgram(): Command {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  const program = new Command("levin")
    .description("Lightning-attention models in TypeScript")
    .version(version)
    // Flags belong to the command that they stand behind: `eval` and `eval glue` have some alike.
    .enablePositionalOptions()
    .showHelpAfterError();
  for (const add of [
    addChat,
    addGenerate,
    addServerCommands,
    addTrain,
    addReinforce,
    addEval,
    addInspect,
    addParity,
    addQuantize,
    addConvert,
  ])
    add(program);
  return program;
}
