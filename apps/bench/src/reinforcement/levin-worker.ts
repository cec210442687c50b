/** `levin` in a process of its own: its arguments are those of the command line. */
import { createProgram } from "@levin/cli";

await createProgram().parseAsync(process.argv.slice(2), { from: "user" });
