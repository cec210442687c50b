import { describe, expect, it } from "vitest";
import { killing } from "../testing/killing.ts";
import { levin } from "../testing/run-levin.ts";

const asked = ["eval", "--tasks", "addition,comparison,sorting", "--count", "3", "--json"];
const shared = [...asked, "--workers", "2"];

// Each run loads a model in several processes.
describe("levin eval in several processes", { timeout: 240_000 }, () => {
  it("prints what one process prints, to the last digit, also when some are killed", async () => {
    const alone = await levin(...asked);
    expect([alone.code, alone.stderr]).toEqual([0, ""]);
    expect(alone.stdout.trim().split("\n")).toHaveLength(4);
    expect(await killing(3, shared)).toEqual(alone);
  });

  it("gives up a piece at which processes end again and again", async () => {
    const { code, stderr } = await killing(5, shared);
    expect(code).toBe(1);
    expect(stderr).toBe("PieceError: 3 processes ended at the same piece, the last by SIGKILL\n");
  });

  it("tells what went wrong in a process as one process does", async () => {
    const elsewhere = ["--model", "/no/such/model"];
    const [alone, together] = await Promise.all([
      levin(...asked, ...elsewhere),
      levin(...shared, ...elsewhere),
    ]);
    expect(together.code).toBe(1);
    expect(together.stderr).toMatch(/ENOENT.*\/no\/such\/model/);
    expect(alone.stderr).toContain(together.stderr.trim().replace(/^Error: /, ""));
  });

  it("takes whole numbers of processes", async () => {
    const { code, stderr } = await levin(...asked, "--workers", "1.5");
    expect(code).toBe(1);
    expect(stderr).toMatch(/--workers <n>.*expected a whole number from 1, found "1.5"/);
  });
});
