import { join } from "node:path";
import { main } from "assemblyscript/asc";

const folder = join(import.meta.dirname, "../../assembly");

/** What apps/bench/assembly compiles to, for the shared memory of some megabytes that its threads read. */
export async function limitsModule(): Promise<WebAssembly.Module> {
  const relaxed = await compile(["--enable", "relaxed-simd"]);
  return new WebAssembly.Module(WebAssembly.validate(relaxed) ? relaxed : await compile([]));
}

async function compile(flags: string[]): Promise<BufferSource> {
  let binary: BufferSource | undefined;
  const { error } = await main(
    [
      ...["index.ts", "--baseDir", folder, "--outFile", "limits.wasm"],
      ...["--optimizeLevel", "3", "--runtime", "stub", "--noAssert"],
      ...["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
      ...["--enable", "simd", "--enable", "threads", ...flags],
    ],
    { writeFile: (_, contents) => void (binary = contents as BufferSource) },
  );
  if (error) throw error;
  return binary!;
}
