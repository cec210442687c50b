import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { JobFiles, JobRuns, openRedis, RedisUnavailableError, type Outcome } from "@levin/server";
import type { Crew } from "./crew.ts";
import { PieceError, type Piece, type ResultOf } from "./piece.ts";

/** Where the outcome of a piece will be. */
interface Place {
  run: string;
  item: number;
}

type Redis = Awaited<ReturnType<typeof openRedis>>;

/** Milliseconds between looks for outcomes. */
const pause = 200;

export interface RedisCrewOptions {
  url: string;
  /** Of workers that have the right model. */
  kind: string;
  onNotice: (text: string) => void;
}

/**
 * Workers on any machine, by way of a Redis. Each outcome is stored once, however often a worker was
 * killed. When the caller was killed, the same pieces find the run that it left.
 */
export class RedisCrew implements Crew {
  readonly batchesAtOnce = 16;
  readonly #options: RedisCrewOptions;
  readonly #redis: Redis;
  readonly #runs: JobRuns;
  readonly #files: JobFiles;
  /** The policy that workers have, and how they call it. */
  #policy: { path: string; name: string } | undefined;

  private constructor(options: RedisCrewOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
    this.#runs = new JobRuns(redis);
    this.#files = new JobFiles(redis);
  }

  /** @throws RedisUnavailableError */
  static async open(options: RedisCrewOptions): Promise<RedisCrew> {
    const crew = new RedisCrew(options, await openRedis(options.url));
    await crew.#runs.resume(options.kind);
    return crew;
  }

  /** @throws PieceError, RedisUnavailableError when Redis is lost on the way */
  async *perform<Work extends Piece>(
    pieces: readonly Work[],
    signal?: AbortSignal,
  ): AsyncGenerator<{ index: number; result: ResultOf<Work> }, void> {
    try {
      yield* this.#results(pieces, signal);
    } catch (error) {
      if (error instanceof PieceError || !this.#isLost()) throw error;
      const { hostname, port } = new URL(this.#options.url);
      throw new RedisUnavailableError(
        `lost Redis at ${hostname}:${port || 6379}; once it is back, the same command goes on from what was done`,
        { cause: error },
      );
    }
  }

  async *#results<Work extends Piece>(
    pieces: readonly Work[],
    signal?: AbortSignal,
  ): AsyncGenerator<{ index: number; result: ResultOf<Work> }, void> {
    const items: string[] = [];
    for (const piece of pieces) items.push(JSON.stringify(await this.#withFile(piece)));
    const used = new Set<string>();
    let places = new Map<number, Place>();
    let left = [...items.keys()];
    try {
      while (left.length > 0) {
        if (signal?.aborted) return;
        // Also when somebody else has removed a run that both had found.
        if (!(await this.#areKept(places))) places = await this.#handOver(items, left);
        for (const { run } of places.values()) used.add(run);
        const outcomes = await this.#outcomesOf(places);
        for (const [index, outcome] of outcomes) {
          places.delete(index);
          yield { index, result: resultOf(outcome) as ResultOf<Work> };
        }
        left = left.filter((index) => !outcomes.has(index));
        if (outcomes.size === 0) await this.#wait(signal);
      }
    } finally {
      for (const run of used) await this.#runs.remove(run);
    }
  }

  async close(): Promise<void> {
    if (!this.#isLost()) {
      if (this.#policy) await this.#files.remove(this.#policy.name);
      await this.#runs.close();
    }
    this.#redis.disconnect();
  }

  #isLost(): boolean {
    return this.#redis.status !== "ready";
  }

  /** A piece whose file workers on other machines find too. */
  async #withFile(piece: Piece): Promise<Piece> {
    if (piece.work !== "draw") return piece;
    const { policy: path } = piece;
    const last = this.#policy;
    if (last?.path !== path) {
      this.#policy = { path, name: await this.#files.put(await readFile(path)) };
      if (last) await this.#files.remove(last.name);
    }
    return { ...piece, policy: this.#policy!.name };
  }

  /** Puts pieces that no run has yet into a new one; where each of them is. */
  async #handOver(items: readonly string[], left: readonly number[]): Promise<Map<number, Place>> {
    const { kind } = this.#options;
    const names = items.map((item) => createHash("sha256").update(item).digest("base64"));
    const known = await this.#known();
    const fresh = left.filter((index) => !known.has(names[index]!));
    if (fresh.length > 0) {
      const details = { pieces: fresh.map((index) => names[index]!) };
      const { id: run } = await this.#runs.create(
        kind,
        fresh.map((index) => items[index]!),
        { details },
      );
      for (const [item, name] of details.pieces.entries()) known.set(name, { run, item });
    }
    await this.#tellOfNobody();
    return new Map(left.map((index) => [index, known.get(names[index]!)!]));
  }

  /** Where pieces are that were handed over before, by their names. */
  async #known(): Promise<Map<string, Place>> {
    const known = new Map<string, Place>();
    for (const id of await this.#runs.list(this.#options.kind)) {
      const run = await this.#runs.get(id);
      if (!run || run.stopped) continue;
      const { pieces } = run.details as { pieces: string[] };
      for (const [item, name] of pieces.entries()) known.set(name, { run: id, item });
    }
    return known;
  }

  async #areKept(places: ReadonlyMap<number, Place>): Promise<boolean> {
    const ids = new Set([...places.values()].map(({ run }) => run));
    const runs = await Promise.all([...ids].map((id) => this.#runs.get(id)));
    return ids.size > 0 && runs.every((run) => run && !run.stopped);
  }

  async #outcomesOf(places: ReadonlyMap<number, Place>): Promise<Map<number, Outcome>> {
    const found = new Map<number, Outcome>();
    for (const run of new Set([...places.values()].map((place) => place.run))) {
      const own = [...places].filter(([, place]) => place.run === run);
      const items = own.map(([, { item }]) => item);
      const outcomes = await this.#runs.outcomesOf(run, items);
      for (const [index, { item }] of own) {
        const outcome = outcomes.get(item);
        if (outcome && outcome.status !== "skipped") found.set(index, outcome);
      }
    }
    return found;
  }

  async #tellOfNobody(): Promise<void> {
    const { kind, onNotice } = this.#options;
    if ((await this.#runs.workers(kind)) > 0) return;
    onNotice(
      "waiting: no worker with this model, backend and version is there yet (levin worker --redis URL --model DIR)",
    );
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    await sleep(pause, undefined, signal && { signal }).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  }
}

/** @throws PieceError */
function resultOf({ status, value }: Outcome): unknown {
  if (status === "completed") return value;
  throw new PieceError(value as { name: string; message: string });
}
