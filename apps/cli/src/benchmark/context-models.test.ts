import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runContext } from "./run-context.ts";

it("levin eval long looks for the twin before it asks the model", async () => {
  const folder = await mkdtemp(join(tmpdir(), "levin-twin-"));
  const asked: string[] = [];
  const run = runContext(
    {
      ...{ suites: ["needle"], lengths: [256], depths: [0], count: 1, needles: 1, pairs: "name" },
      ...{ seed: 1, thinkingBudget: 0, backend: "cpu", output: folder, twin: join(folder, "none") },
    },
    {
      onProgress: (_suite, model) => void asked.push(model),
      onResult: () => {},
      onNotice: () => {},
      signal: new AbortController().signal,
    },
  );
  await expect(run).rejects.toThrow(/none\/config\.json: ENOENT/);
  expect(asked).toEqual([]);
  await rm(folder, { recursive: true });
});
