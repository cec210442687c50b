import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Item } from "../data/item.ts";
import { answerItems } from "./answer-items.ts";
import { openPredictionLog, PredictionLogError } from "./prediction-log.ts";

const items: Item[] = ["a", "b", "c", "d", "e"].map((id) => ({ id, fields: {} }));
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "levin-log-"));
  path = join(folder, "predictions", "cola.dev.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

/** Answers with the item's place, and notes what it was asked. */
function answerer(asked: string[]) {
  return {
    together: 2,
    answer: async (some: readonly Item[]) => {
      asked.push(some.map(({ id }) => id).join(""));
      return some.map(({ id }) => ({ id, value: id.charCodeAt(0) - 97 }));
    },
    dispose: () => undefined,
  };
}

describe("predictions on disk", () => {
  it("are not asked for again, and a line that a kill cut off is taken out", async () => {
    const log = await openPredictionLog(path, { seed: 1 });
    await log.add([
      { id: "d", value: 3 },
      { id: "b", value: 1 },
    ]);
    await appendFile(path, '{"id":"a","val');
    const asked: string[] = [];
    const again = await openPredictionLog(path, { seed: 1 });
    expect([...again.done.keys()]).toEqual(["d", "b"]);
    const progress: number[] = [];
    const found = await answerItems(items, answerer(asked), again, {
      onProgress: (done) => progress.push(done),
    });
    // The same batches as at first: what is answered together may not depend on what was done before.
    expect(asked).toEqual(["ab", "cd", "e"]);
    expect(progress).toEqual([2, 3, 4, 5]);
    expect(found!.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4]);
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { id?: string }).id)).toEqual([
      ...[undefined, "d", "b", "a", "c", "e"],
    ]);
  });

  it("may come in any order, of several batches at once", async () => {
    const log = await openPredictionLog(path, {});
    const all = {
      together: 2,
      async *answerAll(batches: readonly (readonly Item[])[]) {
        const [first, second, third] = await Promise.all(batches.map(answerer([]).answer));
        yield [...second!, ...third!];
        yield first!;
      },
    };
    const found = await answerItems(items, all, log);
    expect(found!.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4]);
    expect([...log.done.keys()]).toEqual(["c", "d", "e", "a", "b"]);
  });

  it("stop at an abort with what was finished", async () => {
    const controller = new AbortController();
    const log = await openPredictionLog(path, {});
    const found = await answerItems(items, answerer([]), log, {
      onProgress: (done) => done === 2 && controller.abort(),
      signal: controller.signal,
    });
    expect(found).toBeUndefined();
    expect([...log.done.keys()]).toEqual(["a", "b"]);
  });

  it("refuse a log of other settings, one that is none, and a place that can't be written", async () => {
    await openPredictionLog(path, { seed: 1, shots: undefined });
    await openPredictionLog(path, { seed: 1 });
    await expect(openPredictionLog(path, { seed: 2 })).rejects.toThrow(PredictionLogError);
    await expect(openPredictionLog(path, { seed: 2 })).rejects.toThrow(
      'expected predictions made with {"seed":2}, found {"seed":1}',
    );
    await writeFile(path, "hello\n");
    await expect(openPredictionLog(path, { seed: 1 })).rejects.toThrow(
      /:1: expected JSON, found hello/,
    );
    await expect(openPredictionLog(join(path, "x.jsonl"), {})).rejects.toThrow(/can't be written/);
  });
});
