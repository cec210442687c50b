// Compiles assembly/ to src/wasm/binaries.generated.ts: one build for each set of engine features.
//   node build-wasm.mjs [--check]     --check fails when the committed file is not what would be written

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "src/wasm/binaries.generated.ts");
const threads = ["--enable", "threads", "--sharedMemory"];
const relaxed = ["--enable", "relaxed-simd"];
const builds = {
  simd: [],
  relaxedSimd: relaxed,
  threadedSimd: threads,
  threadedRelaxedSimd: [...threads, ...relaxed],
};

const lines = ["// Written by build-wasm.mjs from assembly/; do not edit.", ""];
for (const [name, flags] of Object.entries(builds)) {
  lines.push(
    `export const ${name} =`,
    `  "${Buffer.from(await compile(flags)).toString("base64")}";`,
    "",
  );
}
const text = lines.join("\n");
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error(
    "src/wasm/binaries.generated.ts is not what assembly/ compiles to: run node build-wasm.mjs",
  );
  process.exitCode = 1;
}

async function compile(flags) {
  let binary;
  const { error } = await main(
    [
      "assembly/index.ts",
      ...["--baseDir", here],
      ...["--outFile", "kernels.wasm", "--optimizeLevel", "3", "--runtime", "stub", "--noAssert"],
      ...["--importMemory", "--noExportMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
      ...["--enable", "simd", ...flags],
    ],
    { writeFile: (_, contents) => (binary = contents) },
  );
  if (error) throw error;
  return binary;
}
