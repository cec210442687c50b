import type { Command } from "commander";

/** `levin serve`: the OpenAI-compatible API and the chat page, with the flags of `levin-server`. */
export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve the OpenAI-compatible API and the chat page (serve --help says more)")
    .argument("[arguments...]")
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: string[]) => {
      // Loaded here, so that other commands start without a web server.
      const { runServeCommand } = await import("@levin/server");
      await runServeCommand(args);
    });
}
