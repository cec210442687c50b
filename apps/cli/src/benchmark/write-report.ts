import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expectWritable, writeFileWhole } from "../training/write-whole.ts";

/** Leaves `report.json` and `report.md` in an output folder. */
export async function writeReport(
  output: string,
  report: unknown,
  markdown: string,
): Promise<void> {
  const path = join(output, "report.json");
  await expectWritable(path, () => mkdir(output, { recursive: true }));
  await writeFileWhole(path, `${JSON.stringify(report, null, 2)}\n`);
  await writeFileWhole(join(output, "report.md"), markdown);
}
