import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { describeMachine } from "./machine.ts";
import { runWorker } from "./run-worker.ts";
import { best, withSpread } from "./with-spread.ts";

interface SpreadFlags {
  processes: string;
  count: string;
  tasks?: string;
  repeats: string;
}

interface Setting {
  name: string;
  workers: number;
  threads: number;
  rates: number[];
}

/** `npm run bench -- spread`: `levin eval` in one process and in several, loading of models included. */
export function addSpread(program: Command): void {
  program
    .command("spread")
    .description("problems per minute of levin eval in one process and in several")
    .option("--processes <n>", "with a thread each", `${availableParallelism()}`)
    .option("--count <n>", "problems of each task", "20")
    .option("--tasks <names>", "tasks, parted by commas (default: all)")
    .option("--repeats <n>", "repetitions", "3")
    .action(async (flags: SpreadFlags) => {
      const processes = Number(flags.processes);
      const settings: Setting[] = [
        { name: "1 process, 1 thread", workers: 1, threads: 1, rates: [] },
        { name: `1 process, ${processes} threads`, workers: 1, threads: processes, rates: [] },
        {
          name: `${processes} processes, 1 thread each`,
          workers: processes,
          threads: 1,
          rates: [],
        },
      ];
      console.log(
        `${describeMachine()}, spark, ${flags.count} problems of each task, best of ${flags.repeats} ` +
          "(spread to the worst in brackets)\n",
      );
      let expected: unknown;
      for (let repeat = 0; repeat < Number(flags.repeats); repeat++) {
        for (const setting of settings) {
          const result = await measure(setting, flags);
          expected ??= result;
          if (isDeepStrictEqual(result, expected)) continue;
          throw new Error(
            `${setting.name}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(result)}`,
          );
        }
      }
      console.log("| levin eval | problems/minute | against one thread |");
      console.log("| --- | ---: | ---: |");
      for (const { name, rates } of settings) {
        const ratio = best(rates) / best(settings[0]!.rates);
        console.log(`| ${name} | ${withSpread(rates)} | ${ratio.toFixed(2)} × |`);
      }
    });
}

/** The result over all tasks; notes the rate. */
async function measure(
  { workers, threads, rates }: Setting,
  { count, tasks }: SpreadFlags,
): Promise<unknown> {
  const some = tasks === undefined ? [] : ["--tasks", tasks];
  const args = ["eval", "--json", "--count", count, ...some, "--workers", `${workers}`];
  const started = performance.now();
  const result = (await runWorker("../../cli/src/main.ts", args, threads)) as { count: number };
  rates.push((60_000 * result.count) / (performance.now() - started));
  return result;
}
