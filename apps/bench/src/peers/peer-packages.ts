import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Where `npm run setup:peers` installs what only these measurements need. */
export const peersFolder = join(import.meta.dirname, "../../../../node_modules/.cache/levin-peers");

/** The interpreter that has what tooling/bench needs to write GGUF and ONNX files. */
export const peersPython = join(
  peersFolder,
  process.platform === "win32" ? "venv/Scripts/python.exe" : "venv/bin/python",
);

/** Packages of other engines. */
export type PeerPackage = "node-llama-cpp" | "@huggingface/transformers";

/** Whether `npm run setup:peers` has installed a package, and the Python that writes its models. */
export function hasPeer(name: PeerPackage): boolean {
  return existsSync(join(peersFolder, "node_modules", name)) && existsSync(peersPython);
}

/** An installed package's module. */
export async function importPeer<Module>(name: PeerPackage): Promise<Module> {
  const require = createRequire(join(peersFolder, "package.json"));
  return (await import(pathToFileURL(require.resolve(name)).href)) as Module;
}
