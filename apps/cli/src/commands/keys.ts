import type { Command } from "commander";

/** `levin keys`: the API keys of `levin serve`. */
export function addKeys(program: Command): void {
  program
    .command("keys")
    .description("API keys of serve: add, list, revoke, usage (keys --help says more)")
    .argument("[arguments...]")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: string[]) => {
      // Loaded here, so that other commands start without a web server.
      const { runKeysCommand } = await import("@levin/server");
      console.log(runKeysCommand(args));
    });
}
