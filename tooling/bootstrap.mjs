// Runs a command of this repository on a machine that has only Node 20+ and npm:
//   node tooling/bootstrap.mjs <start|test|levin|bench|…> [arguments]
// Installs pnpm's packages when they are not up to date, then runs with the pinned Node.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(import.meta.url), "../..");
const bin = join(root, "node_modules/.bin");
const stamp = join(root, "node_modules/.cache/levin-install");
const pnpm = "pnpm@12.21.0";
const oldestNode = 20;
const windows = process.platform === "win32";

/** What each command runs, in order, after the install. */
const commands = {
  start: [
    ["turbo", "run", "build", "--output-logs=errors-only"],
    ["node", "apps/server/dist/main.js"],
  ],
  test: [["node", "tooling/test.mjs"]],
  levin: [["node", "--conditions=@levin/source", "apps/cli/src/main.ts"]],
  bench: [["node", "--conditions=@levin/source", "apps/bench/src/main.ts"]],
  examples: [["node", "--conditions=@levin/source", "tooling/run-numbered.ts", "examples"]],
  docs: [
    ["turbo", "run", "build", "--output-logs=errors-only"],
    ["pnpm", "--filter", "@levin/tooling", "build:docs"],
  ],
  tour: [["node", "--conditions=@levin/source", "tooling/run-numbered.ts", "docs/tour"]],
  "release-check": [
    ["turbo", "run", "build", "--output-logs=errors-only"],
    ["node", "tooling/release-check/main.ts"],
  ],
  "setup:tensorflow": [["node", "tooling/tensorflow/link-tensorflow.mjs"]],
  "setup:peers": [["node", "tooling/bench/setup-peers.mjs"]],
};

const [name, ...args] = process.argv.slice(2);
if (Number(process.versions.node.split(".")[0]) < oldestNode) {
  fail(`expected Node ${oldestNode} or newer, found ${process.versions.node}`);
}
if (!Object.hasOwn(commands, name ?? "")) {
  fail(`expected one of ${Object.keys(commands).join(", ")}, found ${name}`);
}
if (!isInstalled()) await install();

const env = {
  ...process.env,
  PATH: bin + delimiter + process.env["PATH"],
  TURBO_TELEMETRY_DISABLED: "1",
  // Commands that run from source start in half the time.
  NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? join(bin, "../.cache/levin-compiled"),
};
const steps = commands[name];
for (const [index, [program, ...rest]] of steps.entries()) {
  const isLast = index === steps.length - 1;
  const code = await run(program, isLast ? [...rest, ...args] : rest);
  if (code !== 0 || isLast) process.exitCode = code;
  if (code !== 0) break;
}

/** Runs a program to its end, handing signals on; its exit code. */
function run(program, parameters) {
  return new Promise((done) => {
    const child = spawn(program, parameters, { cwd: root, env, stdio: "inherit", shell: windows });
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
    child.on("error", (error) => fail(`${program}: ${error.message}`));
    child.on("exit", (code, signal) => done(code ?? (signal ? 1 : 0)));
  });
}

/** True when the last install was completed for the present lock file and still has its Node. */
function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint() && hasPinnedNode();
}

function fingerprint() {
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];
  for (const folder of ["tooling", "docs/tour", "examples"]) files.push(`${folder}/package.json`);
  const hash = createHash("sha256").update(process.platform + process.arch);
  for (const file of files) hash.update(readFileSync(join(root, file)));
  for (const folder of ["packages", "apps"]) {
    for (const file of manifests(folder)) hash.update(readFileSync(file));
  }
  return hash.digest("hex");
}

/** The package.json files one level down. */
function manifests(folder) {
  return readdirSync(join(root, folder))
    .map((entry) => join(root, folder, entry, "package.json"))
    .filter((file) => existsSync(file));
}

function hasPinnedNode() {
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies.node;
  const { stdout } = spawnSync(join(bin, "node"), ["--version"], {
    encoding: "utf8",
    shell: windows,
  });
  return stdout?.trim() === `v${wanted}`;
}

async function install() {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const show = process.stderr.isTTY
    ? () =>
        process.stderr.write(`\rlevin: installing packages (first start only) … ${seconds()} s `)
    : () => {};
  if (!process.stderr.isTTY) process.stderr.write("levin: installing packages …\n");
  const timer = setInterval(show, 500);
  let output = "";
  try {
    for (const attempt of [1, 2]) {
      output = await pnpmInstall();
      if (output === "" && hasPinnedNode()) break;
      if (attempt === 2)
        fail(`the install failed twice:\n${output || "the pinned Node does not run"}`);
      // An interrupted install can leave half a Node behind; its folder is rebuilt from nothing.
      rmSync(join(root, "node_modules"), { recursive: true, force: true });
    }
  } finally {
    clearInterval(timer);
  }
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  writeFileSync(stamp, fingerprint());
  process.stderr.write(`\rlevin: packages installed in ${seconds()} s                    \n`);
}

/** Empty when it succeeded, else what it printed. */
function pnpmInstall() {
  return new Promise((done) => {
    const parameters = ["exec", "--yes", pnpm, "--", "install", "--frozen-lockfile"];
    const child = spawn("npm", parameters, {
      cwd: root,
      shell: windows,
      env: { ...process.env, CI: "true" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data) => (output = (output + data).slice(-4000)));
    }
    child.on("error", (error) => done(error.message));
    child.on("exit", (code) => done(code === 0 ? "" : output || `exit code ${code}`));
  });
}

function fail(message) {
  console.error(`levin: ${message}`);
  process.exit(1);
}
