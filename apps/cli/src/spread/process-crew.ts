import { fork, type ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Crew } from "./crew.ts";
import type { PieceModel } from "./perform-piece.ts";
import { PieceError, type Piece, type ResultOf } from "./piece.ts";

/** A piece at which so many processes ended is likely why they did. */
const deadlyAttempts = 3;

interface Done {
  place: number;
  index: number;
  result: unknown;
}

/**
 * Processes of this machine, each with a model of its own; the cores are shared out among them. What
 * one was at when it was killed is done again by another in its place.
 */
export class ProcessCrew implements Crew {
  readonly batchesAtOnce = 4;
  readonly #model: PieceModel;
  /** A place for each process; they start with their first piece. */
  readonly #places: (ChildProcess | undefined)[];

  constructor(model: PieceModel, count: number) {
    this.#model = model;
    this.#places = Array.from({ length: count }, () => undefined);
  }

  async *perform<Work extends Piece>(
    pieces: readonly Work[],
    signal?: AbortSignal,
  ): AsyncGenerator<{ index: number; result: ResultOf<Work> }, void> {
    const left = [...pieces.keys()];
    const running = new Map<number, Promise<Done>>();
    const stop = new AbortController();
    const end = (): void => {
      stop.abort();
      for (const place of running.keys()) this.#places[place]?.kill("SIGKILL");
    };
    const begin = (place: number): void => {
      const index = left.shift();
      if (index === undefined) return;
      const result = this.#perform(place, pieces[index]!, stop.signal);
      running.set(
        place,
        result.then((found) => ({ place, index, result: found })),
      );
    };
    signal?.addEventListener("abort", end);
    try {
      for (const place of this.#places.keys()) begin(place);
      while (running.size > 0) {
        const { place, index, result } = await Promise.race(running.values());
        running.delete(place);
        begin(place);
        yield { index, result: result as ResultOf<Work> };
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener("abort", end);
      end();
      await Promise.allSettled(running.values());
    }
  }

  async close(): Promise<void> {
    for (const child of this.#places) if (child?.connected) child.disconnect();
  }

  async #perform(place: number, piece: Piece, stop: AbortSignal): Promise<unknown> {
    let end = "";
    for (let attempt = 0; attempt < deadlyAttempts; attempt++) {
      stop.throwIfAborted();
      const child = (this.#places[place] ??= this.#start());
      const answer = await answerOf(child, piece);
      if ("result" in answer) return answer.result;
      if ("error" in answer) throw new PieceError(answer.error);
      this.#places[place] = undefined;
      end = answer.ended;
    }
    const message = `${deadlyAttempts} processes ended at the same piece, the last by ${end}`;
    throw new PieceError({ name: "PieceError", message });
  }

  #start(): ChildProcess {
    const isSource = import.meta.url.endsWith(".ts");
    const file = new URL(`./piece-process.${isSource ? "ts" : "js"}`, import.meta.url);
    const threads = Math.max(1, Math.floor(availableParallelism() / this.#places.length));
    return fork(fileURLToPath(file), [JSON.stringify(this.#model)], {
      env: { LEVIN_THREADS: String(threads), ...process.env },
    });
  }
}

/** What a process says to a piece, or how it ended. */
type Answer =
  | { result: unknown }
  | { error: { name: string; message: string } }
  | { ended: string };

function answerOf(child: ChildProcess, piece: Piece): Promise<Answer> {
  return new Promise((resolve) => {
    const answered = (answer: unknown): void => settle(answer as Answer);
    const exited = (code: number | null, signal: string | null): void =>
      settle({ ended: signal ?? `exit code ${code}` });
    const failed = (error: Error): void => settle({ ended: error.message });
    const settle = (answer: Answer): void => {
      child.off("message", answered).off("exit", exited).off("error", failed);
      resolve(answer);
    };
    child.on("message", answered).on("exit", exited).on("error", failed);
    child.send(piece, (error) => error && failed(error));
  });
}
