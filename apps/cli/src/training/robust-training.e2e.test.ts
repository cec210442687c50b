import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tinyRecipe } from "../testing/tiny-recipe.ts";
import { logOf, trainTiny, type EndedTraining, type TinyTraining } from "../testing/train-tiny.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "robust-training-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const trained = (
  output: string,
  changes?: TinyTraining["changes"],
  disturb?: TinyTraining["disturb"],
  shell?: string,
): Promise<EndedTraining> =>
  trainTiny({
    folder,
    output,
    ...(changes && { changes }),
    ...(disturb && { disturb }),
    ...(shell && { shell }),
  });

const metrics = (output: string): ReturnType<typeof logOf> => logOf(folder, output);

const weights = (output: string): Promise<Buffer> =>
  readFile(join(folder, output, "model/model.safetensors"));

const checkpoints = (output: string): Promise<string[]> =>
  readdir(join(folder, output, "checkpoints"));

describe("levin train", { timeout: 180_000 }, () => {
  it("goes on bit for bit, metrics too, after kill -9 at any moment", async () => {
    const changes: TinyTraining["changes"] = {
      contextStages: [
        { untilStep: 10, maxTokens: 100, learningRate: 0.005 },
        { untilStep: 24, maxTokens: 400, ropeTheta: 100_000 },
      ],
      evaluation: { every: 5, problemsPerTask: 1, maxNewTokens: 4, samples: 2 },
    };
    expect(await trained("straight", changes)).toMatchObject({ code: 0, stderr: "" });
    let kills = 0;
    for (; kills < 3; kills++) {
      const [after, delay] = [1 + Math.floor(Math.random() * 5), Math.random() * 40];
      const { signal } = await trained("killed", changes, (child, lines) => {
        if (lines === after) setTimeout(() => child.kill("SIGKILL"), delay);
      });
      // The last may come when all is done.
      if (signal !== "SIGKILL") break;
    }
    expect(kills).toBeGreaterThan(0);
    expect(await trained("killed", changes)).toMatchObject({ code: 0, stderr: "" });
    expect(await metrics("killed")).toEqual(await metrics("straight"));
    const lines = await metrics("straight");
    const steps = lines.filter(({ heldOutLoss }) => heldOutLoss === undefined);
    expect(steps.map(({ step, stage }) => [step, stage])).toEqual(
      Array.from({ length: tinyRecipe.steps }, (_, i) => [i + 1, i < 10 ? 1 : 2]),
    );
    expect(lines).toHaveLength(24 + 5);
    const samples = await logOf(folder, "straight", "samples");
    expect(samples).toHaveLength(5 * 2);
    expect(await logOf(folder, "killed", "samples")).toEqual(samples);
    expect((await weights("killed")).equals(await weights("straight"))).toBe(true);
  });

  it("leaves a checkpoint when it is interrupted, and loses no step", async () => {
    const slow = { checkpointEvery: 1000, steps: 40 };
    const { code, stderr } = await trained("interrupted", slow, (child, lines) => {
      if (lines === 5) child.kill("SIGINT");
    });
    expect(code).toBe(130);
    const step = Number(/^stopped after step (\d+) of 40;/.exec(stderr)?.[1]);
    expect(step).toBeGreaterThanOrEqual(5);
    expect(await checkpoints("interrupted")).toEqual([`step-${String(step).padStart(7, "0")}`]);
    expect(await metrics("interrupted")).toHaveLength(step);
    const rest = await trained("interrupted", slow);
    expect(rest.lines).toHaveLength(40 - step);
  });

  it("stops at a loss that is not finite, and goes on from the good checkpoint at a lower rate", async () => {
    const steps = { checkpointEvery: 1, warmupSteps: 1 };
    expect(await trained("diverged", { ...steps, steps: 4 })).toMatchObject({ code: 0 });
    const wild = await trained("diverged", { ...steps, learningRate: 1e25 });
    expect(wild.code).toBe(1);
    expect(wild.stderr).toMatch(
      /^DivergedError: step \d+: expected finite numbers after the update, found .*NaN; the checkpoint of step 4 is kept: go on with a lower learningRate\n$/,
    );
    const evaluation = { every: 1, problemsPerTask: 1, maxNewTokens: 4, samples: 0 };
    const judged = await trained("diverged", { ...steps, learningRate: 1e40, evaluation });
    expect(judged.stderr).toMatch(
      /^DivergedError: step \d+: expected a finite held-out loss, found NaN; the checkpoint of step 4 is kept/,
    );
    expect(await checkpoints("diverged")).toEqual(["step-0000003", "step-0000004"]);
    const calm = await trained("diverged", { ...steps, steps: 6 });
    expect(calm).toMatchObject({ code: 0, stderr: "" });
    expect(calm.lines.map((line) => line.split(" | ")[0])).toEqual(["step 5", "step 6"]);
    expect((await metrics("diverged")).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.skipIf(process.platform === "win32")(
    "says in a line that the disk takes no more, and keeps what it has",
    async () => {
      expect(await trained("full", { steps: 3 })).toMatchObject({ code: 0 });
      // No file may be larger, so the system refuses the second checkpoint.
      const { code, stderr } = await trained("full", {}, undefined, "ulimit -f 64; exec");
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^TrainingCheckpointError: .*step-0000006: can't be written: EFBIG.*\n$/,
      );
      expect((await checkpoints("full")).filter((name) => !name.startsWith("."))).toEqual([
        "step-0000003",
      ]);
      expect((await trained("full", { steps: 6 })).lines).toHaveLength(3);
    },
  );

  it("says in a line that there is no place for its output", async () => {
    const { code, stderr } = await trained("recipe.json/run");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^OutputError: .*recipe.json.run: can't be written: ENOTDIR.*\n$/);
  });
});
