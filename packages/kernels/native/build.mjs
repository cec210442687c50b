// Compiles the native kernels for this machine (`pnpm --filter @levin/kernels build:native`), or with `--hash`
// only prints the hash of the sources, which the addon carries so that tests find a stale one.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const sources = readdirSync(here).filter((name) => /\.(cc|h)$/.test(name));
const hash = createHash("sha256");
for (const name of sources.toSorted()) hash.update(readFileSync(join(here, name)));
const source = hash.digest("hex");

if (process.argv.includes("--hash")) {
  console.log(source);
} else {
  const output = join(here, `${process.platform}-${process.arch}.node`);
  const objects = [
    compile("addon.cc", [`-DLEVIN_SOURCE="${source}"`, "-I", nodeHeaders()]),
    // The compiler's own header of AVX-512 reads undefined values on purpose.
    compile("kernels.cc", ["-mavx512f", "-Wno-uninitialized", "-Wno-maybe-uninitialized"]),
  ];
  execFileSync("g++", ["-shared", "-s", ...objects, "-o", output]);
  objects.forEach((object) => rmSync(object));
  console.log(output);
}

function compile(file, options) {
  const object = join(here, `${file}.o`);
  const common = ["-c", "-O3", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"];
  execFileSync("g++", [...common, ...options, join(here, file), "-o", object], {
    stdio: "inherit",
  });
  return object;
}

function nodeHeaders() {
  const node = dirname(dirname(realpathSync(process.execPath)));
  const found = [join(node, "include/node"), "/usr/include/node"].find((folder) =>
    existsSync(join(folder, "node_api.h")),
  );
  if (!found) throw new Error(`expected node_api.h below ${node}, found none`);
  return found;
}
