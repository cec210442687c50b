import { Option, type Command } from "commander";
import { toCount } from "./generation-flags.ts";

/** Flags of commands whose work others can share, here or on other machines. */
export function addSpreadFlags(command: Command): Command {
  return command
    .option(
      "--workers <n>",
      "processes that share the work, each with a model of its own",
      toCount,
      1,
    )
    .addOption(
      new Option(
        "--redis <url>",
        "leave the work to processes of `levin worker`, on any machine, that have the same Redis and model",
      ).conflicts("workers"),
    );
}
