// Sets up the optional engines that `npm run bench -- peers` measures Levin against: `npm run setup:peers`.
//
// 1. Installs node-llama-cpp and transformers.js into a cache folder, without install scripts.
// 2. Makes a Python environment there with gguf and onnx, which write models with random weights.
//
// PyTorch is not installed: name an interpreter that has torch and transformers by --python.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const here = import.meta.dirname;
const root = resolve(here, "../..");
const cache = join(root, "node_modules/.cache/levin-peers");
const python = join(
  cache,
  process.platform === "win32" ? "venv/Scripts/python.exe" : "venv/bin/python",
);

try {
  console.log("• installing node-llama-cpp and transformers.js (some 600 MB)");
  mkdirSync(cache, { recursive: true });
  cpSync(join(here, "peers"), cache, { recursive: true });
  run("pnpm", ["install", "--frozen-lockfile", "--reporter=silent"]);
  console.log("• installing gguf and onnx for Python");
  if (!existsSync(python)) run("python3", ["-m", "venv", "venv"]);
  run(python, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "-r",
    "requirements.txt",
  ]);
  console.log('Ready: run "npm run bench -- peers"');
} catch (error) {
  console.error(`setup:peers failed: ${error instanceof Error ? error.message : error}`);
  console.error("npm run bench -- peers works without it, and leaves these engines out.");
  process.exitCode = 1;
}

function run(command, args) {
  try {
    execFileSync(command, args, {
      cwd: cache,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new Error(missing ? `${command} is not on this machine` : `${command} failed`, {
      cause: error,
    });
  }
}
