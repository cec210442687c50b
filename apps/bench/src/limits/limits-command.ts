import type { Command } from "commander";
import { describeMachine } from "../machine.ts";
import { limitsTable } from "./limits-table.ts";
import { measureLimits, type Limits } from "./measure-limits.ts";

/** `npm run bench -- limits`: what the machine gives to WASM, to hold other figures against. */
export function addLimits(program: Command): void {
  program
    .command("limits")
    .description("memory bandwidth and the peak of multiply-adds that WASM threads reach")
    .option("--threads <n...>", "numbers of threads", ["1", "2"])
    .option("--repeats <n>", "repetitions after one warm-up", "5")
    .action(async (flags: { threads: string[]; repeats: string }) => {
      const limits: Limits[] = [];
      for (const threads of flags.threads.map(Number)) {
        limits.push(await measureLimits(threads, Number(flags.repeats)));
      }
      console.log(
        `${describeMachine()}, best of ${flags.repeats} (spread to the worst in brackets)\n`,
      );
      console.log(limitsTable(limits));
    });
}
