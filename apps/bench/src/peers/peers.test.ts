import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { availableEngines, defaultEngines, engineNames, peerEngines } from "./engines.ts";
import { levinEngine } from "./levin-engine.ts";
import { measureGroup } from "./measure-group.ts";
import type { PeerEngine, PeerResult } from "./peer-engine.ts";
import { mergeGroups, writeGroups, type PeerGroup } from "./peer-group.ts";
import { limitLines, peerTable } from "./peer-table.ts";
import { addPeers } from "./peers-command.ts";

function result(engine: string, weights: PeerResult["weights"], speed: number): PeerResult {
  return {
    ...{ engine, weights, prefill: [8 * speed, 10 * speed], decode: [speed, speed / 2] },
    ...{ peakMiB: 100, decodeBytes: 2e8, prefillFlops: 5e7 },
  };
}

function group(size: PeerGroup["size"], length: number, results: PeerResult[]): PeerGroup {
  return {
    ...{ size, length, date: "2026-01-01", machine: "a machine", threads: 2, repeats: 2 },
    limits: { threads: 2, read: [38, 40], multiplyAdd: [90, 100] },
    results,
  };
}

const groups = [
  group("25M", 512, [
    result("Levin", "float32", 100),
    result("Levin", "int8", 150),
    result("llama.cpp, dense", "int8", 120),
    result("transformers.js, dense", "int4", 120),
  ]),
];

describe("peerTable", () => {
  it("compares with Levin of the same weights, and with nothing where there is none", () => {
    const rows = peerTable(groups)
      .split("\n")
      .slice(2)
      .map((line) => line.split(" | "));
    expect(rows.map((cells) => cells[6])).toEqual(["1.00 ×", "1.00 ×", "1.25 ×", "–"]);
    expect(rows.map((cells) => cells[9])).toEqual(["1.00 ×", "1.00 ×", "1.25 ×", "–"]);
  });

  it("shows the best speed with its spread, and what it reads and computes", () => {
    const [first] = peerTable(groups).split("\n").slice(2);
    expect(first).toContain("| 1,000 (−20 %) | 50.0 | 1.00 × | 100 (−50 %) | 20.0 |");
  });
});

describe("limitLines", () => {
  it("holds Levin's figures against the machine's", () => {
    const disturbed = { threads: 2, read: [20], multiplyAdd: [50] };
    const other = { ...group("100M", 512, []), limits: disturbed };
    expect(limitLines([...groups, other])).toEqual([
      "25M at 512, float32: decode reads 20.0 GB/s = 50 % of 40.0 measured; " +
        "prefill computes 50.0 GFLOP/s = 50 % of the WASM FMA peak of 100",
      "25M at 512, int8: decode reads 30.0 GB/s = 75 % of 40.0 measured; " +
        "prefill computes 75.0 GFLOP/s = 75 % of the WASM FMA peak of 100",
    ]);
  });
});

describe("groups of measurements", () => {
  it("replace a group as a whole and keep their order", () => {
    const [old, other] = [group("100M", 512, []), group("100M", 2048, [])];
    const fresh = { ...old, date: "2026-02-02" };
    const merged = mergeGroups([other, old], [fresh, ...groups]);
    expect(merged).toEqual([...groups, fresh, other]);
  });

  it("are written as JSON and as a plot that names all engines", async () => {
    const folder = await mkdtemp(join(tmpdir(), "levin-peers-"));
    try {
      await writeGroups(folder, groups);
      expect(await writeGroups(folder, [group("410M", 512, [])])).toHaveLength(2);
      expect(JSON.parse(await readFile(join(folder, "peers.json"), "utf8"))[0]).toEqual(groups[0]);
      const svg = await readFile(join(folder, "peers.svg"), "utf8");
      for (const { engine, weights } of groups[0]!.results) {
        expect(svg).toContain(`${engine} ${weights}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("choosing engines", () => {
  it("leaves out what is not installed, with one line that says what to do", async () => {
    const lines: string[] = [];
    const engines = peerEngines("no-such-python");
    const names = ["transformers", "levin", "pytorch"];
    const found = await availableEngines(engines, names, (line) => lines.push(line));
    expect(found).toEqual([engines["levin"]]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^left out: transformers \(no-such-python .*--python\)$/);
  });

  it("measures what is slow or needs a GPU only when asked", () => {
    const asked = ["stock-cpu", "levin-webgpu"];
    expect(defaultEngines.filter((name) => asked.includes(name))).toEqual([]);
    expect(engineNames).toEqual(expect.arrayContaining([...asked, ...defaultEngines]));
  });

  it("refuses an engine that there is not", async () => {
    const program = new Command().exitOverride();
    addPeers(program);
    program.commands[0]!.exitOverride().configureOutput({ writeErr: () => {} });
    const parsed = program.parseAsync(["node", "bench", "peers", "--engines", "abacus"]);
    await expect(parsed).rejects.toThrow(/abacus.*Allowed choices are levin/);
  });
});

describe("measureGroup", () => {
  const plan = { size: "25M", length: 4096, threads: 1, repeats: 1 } as const;
  const turns: string[] = [];
  const engine = (name: string, longest = Infinity): PeerEngine => ({
    ...{ name, weights: "float32", longest },
    missing: async () => undefined,
    measure: async () => {
      turns.push(name);
      if (name === "broken")
        throw Object.assign(new Error("x"), { stderr: "at y\nError: no room" });
      const speed = turns.length;
      return { prefill: [speed], decode: [speed], peakMiB: speed, decodeBytes: 1, prefillFlops: 1 };
    },
  });

  it("lets engines take turns, and leaves out what fails or would take too long", async () => {
    const said: string[] = [];
    const engines = [engine("one"), engine("broken"), engine("short", 2048), engine("two")];
    const say = (line: string) => void said.push(line);
    const work = { bytes: 2 ** 20, rounds: 2 ** 16 };
    const { results, limits, repeats } = await measureGroup(engines, plan, 2, say, work);
    expect(turns).toEqual(["one", "broken", "two", "one", "two"]);
    expect(results.map(({ engine: name, decode }) => [name, decode])).toEqual([
      ["one", [1, 4]],
      ["two", [3, 5]],
    ]);
    expect([repeats, limits.read.length]).toEqual([2, 10]);
    expect(said.filter((line) => line.startsWith("left out"))).toEqual([
      "left out: 25M at 4096: broken, float32 (Error: no room)",
      "left out: 25M at 4096: short, float32 (measured to 2048 tokens only)",
    ]);
  });
});

it("measures a model in a process of its own", async () => {
  const plan = { size: "25M", length: 32, threads: 1, repeats: 2 } as const;
  const measured = await levinEngine("Levin").measure(plan);
  expect(measured.prefill).toHaveLength(2);
  expect(Math.min(...measured.prefill, ...measured.decode)).toBeGreaterThan(0);
  // 7.2 M active parameters, the head of 2.1 M, seven states of 64 KiB and a cache, of 4 bytes each.
  expect(measured.decodeBytes / 1e6).toBeCloseTo(37.8, 1);
});
