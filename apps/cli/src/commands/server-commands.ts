import type { Command } from "commander";

/** Loaded when a command runs, so that others start without a web server. */
const server = () => import("@levin/server");

/** The commands of `levin-server`, which reads their arguments. */
const commands: Record<string, { description: string; run: (args: string[]) => Promise<void> }> = {
  serve: {
    description: "serve the OpenAI-compatible API and the chat page",
    run: async (args) => (await server()).runServeCommand(args),
  },
  keys: {
    description: "API keys of serve: add, list, revoke, usage",
    run: async (args) => console.log((await server()).runKeysCommand(args)),
  },
  worker: {
    description: "do the batches of serve --redis, and the work of eval --redis",
    run: async (args) => {
      const { pieceWork } = await import("../spread/piece-work.ts");
      await (await server()).runWorkerCommand(args, async (model) => [await pieceWork(model)]);
    },
  },
};

/** `levin serve`, `levin keys` and `levin worker`. */
export function addServerCommands(program: Command): void {
  for (const [name, { description, run }] of Object.entries(commands)) {
    program
      .command(name)
      .description(`${description} (${name} --help says more)`)
      .argument("[arguments...]")
      .helpOption(false)
      .allowUnknownOption()
      .action(run);
  }
}
