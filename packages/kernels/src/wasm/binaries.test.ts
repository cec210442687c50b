import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as binaries from "./binaries.generated.ts";

const sections = { memory: 5, global: 6, data: 11 };

/** Ids of the sections of a WASM binary. */
function sectionIds(bytes: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length;) {
    ids.push(bytes[at++]!);
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++]!;
      size |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    at += size;
  }
  return ids;
}

describe("the binaries of the fused kernels", () => {
  it("are what assembly/ compiles to", () => {
    const script = join(import.meta.dirname, "../../build-wasm.mjs");
    expect(() => execFileSync(process.execPath, [script, "--check"])).not.toThrow();
  });

  it.each(Object.entries(binaries))("%s brings no memory or data of its own", (_, base64) => {
    const ids = sectionIds(Buffer.from(base64, "base64"));
    expect(ids).toContain(sections.global);
    expect(ids).not.toContain(sections.memory);
    expect(ids).not.toContain(sections.data);
  });
});
