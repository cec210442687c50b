// Sets up the optional TensorFlow backend of Levin: `npm run setup:tensorflow [-- --gpu] [--wheel FILE]`.
//
// 1. Installs @tensorflow/tfjs-node (or -gpu) without its install script into a cache folder.
// 2. Shares this repository's tfjs packages with it, so that there is one tfjs-core, one registry.
// 3. Runs the package's own install, which fetches libtensorflow from Google's storage.
// 4. Where that is out of reach: takes libtensorflow from the PyPI wheel and compiles the addon.
// 5. Makes the package resolvable from packages/*, and proves it with a matrix product.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = import.meta.dirname ?? dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const cache = join(root, "node_modules/.cache/levin-tensorflow");

const builds = {
  cpu: { module: "@tensorflow/tfjs-node", wheel: "tensorflow-cpu" },
  gpu: { module: "@tensorflow/tfjs-node-gpu", wheel: "tensorflow" },
};
// tfjs-node 4.22 binds to TensorFlow's C API, which 2.16 still offers unchanged.
const wheelVersion = "2.16.2";
const wheelPython = "3.12";
// The newest Node-API version that tfjs-node 4.22 names in its package.json.
const newestBinding = 8;
// An unreachable host may drop packets instead of refusing them.
const reachableWithinMs = 10_000;

class SetupError extends Error {}

const { values: options } = parseArgs({
  options: {
    gpu: { type: "boolean", default: false },
    wheel: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (options.help) {
  console.log(
    "npm run setup:tensorflow [-- --gpu] [-- --wheel FILE]\n\n" +
      "  --gpu         set up @tensorflow/tfjs-node-gpu (needs CUDA and cuDNN)\n" +
      "  --wheel FILE  use this tensorflow wheel instead of downloading one",
  );
} else {
  try {
    await setUp(options.gpu ? builds.gpu : builds.cpu);
  } catch (error) {
    console.error(`setup:tensorflow failed: ${error instanceof Error ? error.message : error}`);
    console.error("Levin works without TensorFlow: its default backend is wasm.");
    process.exitCode = 1;
  }
}

async function setUp(build) {
  const folder = join(cache, "node_modules", build.module);
  installPackage();
  shareTfjsPackages();
  if (!options.wheel && (await ownInstall(folder)) && works(folder)) {
    console.log(`${build.module}: installed from its own download`);
  } else {
    const tensorflow = unpackWheel(options.wheel ? resolve(options.wheel) : downloadWheel(build));
    compileAddon(folder, tensorflow);
    if (!works(folder, { show: true })) throw new SetupError("the compiled addon does not run");
    console.log(`${build.module}: linked to ${build.wheel} ${wheelVersion}`);
  }
  makeResolvable(folder, build.module);
  console.log("Ready: use --backend tensorflow");
}

function installPackage() {
  step("installing the tfjs-node packages");
  mkdirSync(cache, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    cpSync(join(here, file), join(cache, file));
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cache);
}

/** Two copies of tfjs-core would mean two kernel registries, and ours would miss the backend. */
function shareTfjsPackages() {
  for (const owner of ["kernels", "training"]) {
    const ours = join(root, "packages", owner, "node_modules/@tensorflow");
    for (const name of readdirSync(ours)) {
      const copy = join(cache, "node_modules/@tensorflow", name);
      if (!existsSync(copy)) continue;
      rmSync(copy, { recursive: true });
      symlinkSync(realpathSync(join(ours, name)), copy, "junction");
    }
  }
}

async function ownInstall(folder) {
  step("trying the package's own install");
  try {
    const host = process.env["TFJS_NODE_CDN_STORAGE"] ?? "https://storage.googleapis.com/";
    await fetch(host, { method: "HEAD", signal: AbortSignal.timeout(reachableWithinMs) });
  } catch {
    console.log("  its download host cannot be reached");
    return false;
  }
  const device = folder.endsWith("-gpu") ? ["gpu", "download"] : ["cpu", "download"];
  const result = spawnSync(process.execPath, ["scripts/install.js", ...device], {
    cwd: folder,
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(cache, "node_modules/.bin")}:${process.env["PATH"]}` },
  });
  return result.status === 0;
}

function downloadWheel({ wheel }) {
  const folder = join(cache, "wheel");
  const find = () =>
    existsSync(folder) && readdirSync(folder).find((name) => name.endsWith(".whl"));
  if (!find()) {
    step(`downloading ${wheel} ${wheelVersion} (some 210 MB; the GPU build 590 MB)`);
    run("python3", [
      ...["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"],
      ...["--python-version", wheelPython, "--dest", folder, `${wheel}==${wheelVersion}`],
    ]);
  }
  const name = find();
  if (!name) throw new SetupError(`pip downloaded no wheel of ${wheel} for this machine`);
  return join(folder, name);
}

/** Takes the two libraries and the headers out of the wheel. */
function unpackWheel(wheel) {
  if (process.platform !== "linux") {
    throw new SetupError(`expected Linux to link a wheel, found ${process.platform}`);
  }
  const folder = join(cache, "libtensorflow");
  step(`unpacking ${wheel}`);
  rmSync(folder, { recursive: true, force: true });
  const script = [
    "import sys, zipfile",
    "wheel = zipfile.ZipFile(sys.argv[1])",
    "wanted = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')",
    "headers = ('tensorflow/include/tensorflow/', 'tensorflow/include/tsl/', 'tensorflow/include/xla/')",
    "wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n in wanted or n.startswith(headers)])",
  ].join("\n");
  run("python3", ["-c", script, wheel, folder]);
  return join(folder, "tensorflow");
}

function compileAddon(folder, tensorflow) {
  step("compiling the addon");
  const version = Math.min(newestBinding, Number(process.versions.napi));
  const output = join(folder, "lib", `napi-v${version}`, "tfjs_binding.node");
  mkdirSync(dirname(output), { recursive: true });
  run("g++", [
    ...["-O2", "-shared", "-fPIC", "-std=c++17", "-DBUILDING_NODE_EXTENSION"],
    ...["-I", join(tensorflow, "include"), "-I", nodeHeaders(), "-I", folder],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(folder, "binding", name)),
    ...["-o", output, `-L${tensorflow}`, `-Wl,-rpath,${tensorflow}`],
    ...["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"],
  ]);
}

function nodeHeaders() {
  const platform = `node-${process.platform}-${process.arch}`;
  const candidates = [
    join(realpathSync(join(root, "node_modules/node")), "node_modules", platform, "include/node"),
    join(dirname(dirname(realpathSync(process.execPath))), "include/node"),
  ];
  const found = candidates.find((folder) => existsSync(join(folder, "node_api.h")));
  if (!found) throw new SetupError(`expected node_api.h in ${candidates.join(" or ")}, found none`);
  return found;
}

/** pnpm manages packages/NAME/node_modules, so the link goes one level above, where Node looks next. */
function makeResolvable(folder, name) {
  const link = join(root, "packages/node_modules", name);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync(folder, link, "junction");
}

/** A product of two matrices in a process of its own: a broken addon can crash Node. */
function works(folder, { show = false } = {}) {
  const program = `
    const util = require("node:util");
    util.isNullOrUndefined ??= (value) => value == null;
    const tf = require(${JSON.stringify(folder)});
    const product = tf.matMul(tf.eye(3), tf.ones([3, 2])).dataSync();
    process.exit(tf.getBackend() === "tensorflow" && product.every((x) => x === 1) ? 0 : 1);`;
  const quiet = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };
  const output = show ? "inherit" : "ignore";
  return spawnSync(process.execPath, ["-e", program], { stdio: output, env: quiet }).status === 0;
}

function step(text) {
  console.log(`• ${text}`);
}

function run(command, args, cwd = root) {
  try {
    execFileSync(command, args, { cwd, stdio: "inherit" });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new SetupError(missing ? `${command} is not on this machine` : `${command} failed`);
  }
}
