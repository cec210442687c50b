import { expect, it } from "vitest";
import { startProcess } from "./server-process.ts";
import { serversTable, type ServerResults } from "./servers-table.ts";

const MiB = 2 ** 20;

function server(name: string, weights: string, rates: number[]): ServerResults {
  const results = rates.map((tokensPerSecond, i) => ({
    ...{ whole: 10, lost: [], tokensPerSecond, resident: i === 0 ? 200 * MiB : NaN },
    firstToken: { p50: 10 + i, p99: 20 },
    betweenTokens: { p50: 1, p99: 2 },
    health: { p50: 0, p99: 0 },
  }));
  return { name, weights, settings: [{ clients: 8, results }] };
}

it("servers are compared with Levin's of the same weights, at each number of clients", () => {
  const table = serversTable([
    server("Levin", "float32", [300, 240]),
    server("llama.cpp, 1 thread", "float32", [150]),
    server("Levin", "int8", [500]),
    server("llama.cpp, 1 thread", "int8", [1000]),
  ]);
  expect(table.split("\n").slice(2)).toEqual([
    "| 8 | float32 | Levin | 300 (−20 %) | 1.00 × | 10 (to 11) | 20 (to 20) | 1 (to 1) | 2 (to 2) | 20 | 0 | – |",
    "| 8 | float32 | llama.cpp, 1 thread | 150 (−0 %) | 2.00 × | 10 (to 10) | 20 (to 20) | 1 (to 1) | 2 (to 2) | 10 | 0 | 200 MiB |",
    "| 8 | int8 | Levin | 500 (−0 %) | 1.00 × | 10 (to 10) | 20 (to 20) | 1 (to 1) | 2 (to 2) | 10 | 0 | 200 MiB |",
    "| 8 | int8 | llama.cpp, 1 thread | 1,000 (−0 %) | 0.50 × | 10 (to 10) | 20 (to 20) | 1 (to 1) | 2 (to 2) | 10 | 0 | 200 MiB |",
  ]);
});

it("nothing is compared with a Levin that is not there", () => {
  const [row] = serversTable([server("llama.cpp, 1 thread", "int8", [10])])
    .split("\n")
    .slice(2);
  expect(row).toContain("| 10 (−0 %) | – |");
});

it("a program that is not there, or ends at once, is named with what it said", async () => {
  const ready = /ready at (\S+)/;
  await expect(startProcess("no-such-server", [], ready)).rejects.toThrow(
    "no-such-server is not on this machine",
  );
  const fails = ["-e", "console.error('no room'); process.exit(1)"];
  await expect(startProcess(process.execPath, fails, ready)).rejects.toThrow(/ended.*no room/s);
});

it("a program is there when it says where, and gone when it is stopped", async () => {
  const program = "console.error('ready at http://here'); setInterval(() => {}, 1000)";
  const { url, stop, resident, lastWords } = await startProcess(
    process.execPath,
    ["-e", program],
    /ready at (\S+)/,
  );
  expect(url).toBe("http://here");
  const bytes = await resident();
  expect(Number.isNaN(bytes) || bytes > MiB).toBe(true);
  expect(lastWords()).toBeUndefined();
  await stop();
  expect(lastWords()).toBe("ready at http://here");
});
