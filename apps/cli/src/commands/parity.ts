import { selectBackend } from "@levin/kernels/node";
import { compareCase, passes, type Comparison } from "@levin/model/parity";
import type { Command } from "commander";
import { backendOption } from "./backend-option.ts";

/** `levin parity DIR…`: golden files against this implementation. */
export function addParity(program: Command): void {
  program
    .command("parity")
    .description("compare directories of config, weights and golden values; exit 1 on a miss")
    .argument("<directory...>", "directories with config, model and golden files")
    .addOption(backendOption())
    .option("--json", "print JSON")
    .action(async (directories: string[], options: { backend: string; json?: boolean }) => {
      await selectBackend(options.backend);
      let missed = false;
      for (const directory of directories) {
        try {
          const groups = worstByGroup(await compareCase(directory));
          missed ||= groups.some((group) => !passes(group));
          if (options.json) console.log(JSON.stringify({ directory, quantities: groups }));
          else printTable(directory, groups);
        } catch (error) {
          // One broken directory must not hide the results of the others.
          missed = true;
          console.error(`\n${directory}\n${String(error)}`);
        }
      }
      if (missed) process.exitCode = 1;
    });
}

/** The worst of each kind of quantity: layer numbers and parameter names are left out. */
function worstByGroup(comparisons: Comparison[]): (Comparison & { count: number })[] {
  const groups = new Map<string, Comparison & { count: number }>();
  for (const comparison of comparisons) {
    const name = comparison.quantity.startsWith("grad.")
      ? comparison.quantity.split(".").slice(0, 2).join(".")
      : comparison.quantity.replace(/\.\d+$/, "");
    const worst = groups.get(name);
    const count = (worst?.count ?? 0) + 1;
    const isWorse =
      !worst || !(comparison.error / (comparison.limit || 1) <= worst.error / (worst.limit || 1));
    groups.set(name, { ...(isWorse ? comparison : worst), count });
  }
  return [...groups].map(([quantity, group]) => ({ ...group, quantity }));
}

function printTable(directory: string, groups: (Comparison & { count: number })[]): void {
  console.log(`\n${directory}`);
  console.log(
    `${"quantity".padEnd(28)}${"tensors".padStart(8)}${"worst error".padStart(14)}${"limit".padStart(10)}`,
  );
  for (const group of groups) {
    const error = group.limit === 0 ? String(group.error) : group.error.toExponential(2);
    const limit = group.limit === 0 ? "0" : group.limit.toExponential(0);
    const verdict = passes(group) ? "ok" : "MISS";
    console.log(
      `${group.quantity.padEnd(28)}${String(group.count).padStart(8)}${error.padStart(14)}${limit.padStart(10)}  ${verdict}`,
    );
  }
}
