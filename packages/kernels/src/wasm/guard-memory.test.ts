import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { linear } from "../index.ts";
import { selectBackend } from "../node.ts";
import { FusedEngine } from "./fused-engine.ts";
import { guardMemory, OutOfMemoryError, type Allocator } from "./guard-memory.ts";

describe("memory of the wasm backend", () => {
  beforeAll(() => selectBackend("wasm"));

  it("is refused with what was asked for, and what is there stays usable", () => {
    const kept = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const { wasm } = tf.backend() as unknown as { wasm: Allocator };
    const { _malloc: allocate, _free: free } = wasm;
    // Untouched pages cost nothing, and two of these are more than 4 GiB.
    const large = 3000 * 2 ** 20;
    const first = allocate(large);
    expect(() => allocate(large)).toThrow(OutOfMemoryError);
    expect(() => allocate(large)).toThrow(/expected 3000 MiB of free memory/);
    free(first);
    expect([...linear(kept, kept).dataSync()]).toEqual([5, 11, 11, 25]);
    kept.dispose();
  });

  it("leaves no block of a kernel's own behind that was given back", () => {
    const engine = new FusedEngine({ threads: 1, maySleep: true });
    engine.scratch(2 ** 20);
    expect(() => engine.scratch(2 ** 33)).toThrow(OutOfMemoryError);
    const scratch = engine.scratch(2 ** 20);
    const other = tf.zeros([2 ** 18]);
    const start = engine.address(other);
    expect(start >= scratch + 2 ** 20 || start + 2 ** 20 <= scratch).toBe(true);
    other.dispose();
  });

  it("is refused when a block would end past its end", () => {
    const allocator = { _malloc: () => 64, _free: () => {}, HEAPU8: new Uint8Array(128) };
    guardMemory(allocator);
    const { _malloc: allocate }: Allocator = allocator;
    expect(allocate(64)).toBe(64);
    expect(() => allocate(65)).toThrow(OutOfMemoryError);
  });
});
