import { appendFile, mkdir, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { SubmittedPrediction } from "../suites/benchmark-task.ts";

/** Raised when a log can't be used: it belongs to another run, or the disk refuses it. */
export class PredictionLogError extends Error {
  override readonly name = "PredictionLogError";
}

/** An item, or what was answered to it. */
export interface Identified {
  id: string;
}

/** Predictions of a run, on disk as soon as they are made. */
export interface PredictionLog<Prediction extends Identified = SubmittedPrediction> {
  /** By item, those of an earlier process included. */
  readonly done: ReadonlyMap<string, Prediction>;
  add(predictions: readonly Prediction[]): Promise<void>;
}

/**
 * Opens a file of JSON lines, or begins it: first the settings, then a prediction a line. A line that
 * a kill left unfinished is taken out.
 *
 * @param settings plain JSON that decides the predictions
 * @throws PredictionLogError when the file has other settings, is no log, or can't be written
 */
export async function openPredictionLog<Prediction extends Identified = SubmittedPrediction>(
  path: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<PredictionLog<Prediction>> {
  const lines = await writing(path, () => wholeLines(path));
  const done = new Map<string, Prediction>();
  const append = (values: readonly unknown[]): Promise<void> =>
    writing(path, () =>
      appendFile(path, values.map((each) => `${JSON.stringify(each)}\n`).join("")),
    );
  if (lines.length === 0) {
    await writing(path, () => mkdir(dirname(path), { recursive: true }));
    await append([{ settings }]);
  } else expectSame(path, settings, parse(path, lines, 0) as { settings?: unknown });
  for (let i = 1; i < lines.length; i++) {
    const prediction = parse(path, lines, i) as Prediction;
    done.set(prediction.id, prediction);
  }
  return {
    done,
    add: async (predictions) => {
      await append(predictions);
      for (const prediction of predictions) done.set(prediction.id, prediction);
    },
  };
}

async function wholeLines(path: string): Promise<string[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const end = bytes.lastIndexOf("\n") + 1;
  if (end < bytes.length) await truncate(path, end);
  return bytes.toString("utf8", 0, end).split("\n").slice(0, -1);
}

function parse(path: string, lines: readonly string[], i: number): unknown {
  try {
    return JSON.parse(lines[i]!);
  } catch (error) {
    throw new PredictionLogError(`${path}:${i + 1}: expected JSON, found ${lines[i]}`, {
      cause: error,
    });
  }
}

function expectSame(
  path: string,
  settings: Readonly<Record<string, unknown>>,
  { settings: found }: { settings?: unknown },
): void {
  const expected: unknown = JSON.parse(JSON.stringify(settings));
  if (isDeepStrictEqual(found, expected)) return;
  throw new PredictionLogError(
    `${path}: expected predictions made with ${JSON.stringify(expected)}, found ${JSON.stringify(found)}; ` +
      "another output folder, or none of these predictions, lets this run begin",
  );
}

async function writing<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const { message } = error as Error;
    throw new PredictionLogError(`${path}: can't be written: ${message}`, { cause: error });
  }
}
