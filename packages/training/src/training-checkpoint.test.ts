import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tinyModel } from "./__fixtures__/tiny-model.ts";
import { createAdamWState } from "./adamw.ts";
import {
  loadTrainingCheckpoint,
  saveTrainingCheckpoint,
  TrainingCheckpointError,
} from "./training-checkpoint.ts";

const program = fileURLToPath(new URL("__fixtures__/training-run.ts", import.meta.url));
let directory: string;

beforeAll(() => tf.setBackend("cpu"));
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "training-checkpoint-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Run {
  /** Step that it began at. */
  from: number;
  /** All parameters and moments in the end. */
  result: string | undefined;
  signal: string | null;
}

/** Runs the training in a process of its own; killed `delay` ms after it began to save a step. */
function run(folder: string, steps: number, kill?: { step: number; delay: number }): Promise<Run> {
  const killed = kill ? [kill.step, kill.delay] : [];
  const args = [program, folder, steps, ...killed].map(String);
  const child = spawn(process.execPath, ["--conditions=@levin/source", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (_, signal) => {
      const result = /^done (.*)$/m.exec(output)?.[1];
      resolve({ from: Number(/^from (\d+)$/m.exec(output)?.[1]), result, signal });
    });
  });
}

describe("training checkpoints", () => {
  it("continue bit for bit after kills in the middle of steps and of saving", async () => {
    const straight = await run(join(directory, "straight"), 10);
    expect(straight.result?.length).toBeGreaterThan(1000);
    const broken = join(directory, "broken");
    const first = await run(broken, 10, { step: 3, delay: 0 });
    const second = await run(broken, 10, { step: 5, delay: 2 });
    const third = await run(broken, 10, { step: 7, delay: 5 });
    expect([first, second, third].map(({ signal }) => signal)).toEqual(Array(3).fill("SIGKILL"));
    const last = await run(broken, 10);
    expect(second.from).toBeGreaterThanOrEqual(2);
    expect(last.from).toBeGreaterThanOrEqual(6);
    expect(last.from).toBeLessThan(10);
    expect(last.result).toBe(straight.result);
  });

  it("keep the last two and clear away unfinished ones", async () => {
    const model = tinyModel();
    const state = createAdamWState(model.parameters);
    await mkdir(join(directory, ".step-0000001.tmp"));
    for (state.step of [1, 2, 3]) await saveTrainingCheckpoint(directory, model, state);
    expect((await readdir(directory)).toSorted()).toEqual(["step-0000002", "step-0000003"]);
  });

  it("are none in an empty or missing directory", async () => {
    expect(await loadTrainingCheckpoint(directory)).toBeUndefined();
    expect(await loadTrainingCheckpoint(join(directory, "missing"))).toBeUndefined();
  });

  it("name the settings that differ", async () => {
    const model = tinyModel();
    const state = createAdamWState(model.parameters);
    await saveTrainingCheckpoint(directory, model, state, { seed: 1, schedule: { peak: 0.1 } });
    const load = (peak: number): ReturnType<typeof loadTrainingCheckpoint> =>
      loadTrainingCheckpoint(directory, { seed: 1, schedule: { peak } });
    expect((await load(0.1))?.state.step).toBe(0);
    await expect(load(0.2)).rejects.toThrow(TrainingCheckpointError);
    await expect(load(0.2)).rejects.toThrow(/schedule: expected {"peak":0.2}, found {"peak":0.1}$/);
  });

  it.each([
    ["training.json is no JSON", "training.json", "{", /training.json: .*JSON/],
    ["training.json has no step", "training.json", "{}", /expected a step ≥ 0, found undefined/],
  ])("are refused when %s", async (_, file, text, message) => {
    const model = tinyModel();
    const folder = await saveTrainingCheckpoint(
      directory,
      model,
      createAdamWState(model.parameters),
    );
    await writeFile(join(folder, file), text);
    const load = loadTrainingCheckpoint(directory);
    await expect(load).rejects.toThrow(TrainingCheckpointError);
    await expect(load).rejects.toThrow(message);
  });

  it("are refused when a moment is missing, and free what was read", async () => {
    const model = tinyModel();
    const state = createAdamWState(model.parameters);
    state.second.delete("model.norm.weight");
    const folder = await saveTrainingCheckpoint(directory, model, state);
    expect(await readFile(join(folder, "training.json"), "utf8")).toBe('{"step":0}');
    const before = tf.memory().numTensors;
    const load = loadTrainingCheckpoint(directory);
    await expect(load).rejects.toThrow(/expected second.model.norm.weight \[16\], found none$/);
    expect(tf.memory().numTensors).toBe(before);
  });
});
