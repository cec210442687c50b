import { createInterface } from "node:readline/promises";
import { Session } from "@levin/model";
import { encodeChat } from "@levin/tokenizer";
import type { Command } from "commander";
import { loadBundle } from "../load-bundle.ts";
import { addGenerationFlags, generationOptions, type GenerationFlags } from "./generation-flags.ts";
import { printStream } from "./print-stream.ts";

/** `levin chat`: a conversation in the terminal. */
export function addChat(program: Command): void {
  addGenerationFlags(
    program
      .command("chat")
      .description("talk to a model; an empty line ends, Ctrl+C stops an answer"),
  ).action(async (flags: GenerationFlags) => {
    const { model, tokenizer, chatTemplate: template } = await loadBundle(flags);
    const session = new Session(model, tokenizer);
    // What a conversation begins with stands before its first turn only.
    const opening = encodeChat(tokenizer, [], { template, addGenerationPrompt: false }).length;
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    // Input from a file ends before its last line is answered.
    let isOpen = true;
    terminal.once("close", () => (isOpen = false));
    terminal.setPrompt("you> ");
    terminal.prompt();
    for await (const line of terminal) {
      if (line.trim() === "") break;
      // The state holds all turns so far, so only the new one is encoded.
      const turn = encodeChat(tokenizer, [{ role: "user", content: line }], { template });
      session.append(session.history.length === 0 ? turn : turn.slice(opening));
      const controller = new AbortController();
      const stop = (): void => controller.abort();
      terminal.once("SIGINT", stop);
      await printStream(
        session.generate({ ...generationOptions(flags), signal: controller.signal }),
      );
      terminal.off("SIGINT", stop);
      session.append("\n");
      if (isOpen) terminal.prompt();
    }
    terminal.close();
    session.dispose();
  });
}
