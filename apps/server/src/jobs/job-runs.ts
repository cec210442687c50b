import { randomUUID } from "node:crypto";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";

/** How an item of a run ended; an item is skipped when its run was stopped before. */
export type OutcomeStatus = "completed" | "failed" | "skipped";

export interface Outcome {
  status: OutcomeStatus;
  /** Anything JSON can hold. */
  value?: unknown;
}

/** Why a run does not go on. */
export type StopReason = "cancelled" | "expired";

/** A run as it stands; times are milliseconds since 1970. */
export interface Run {
  id: string;
  kind: string;
  /** What whoever created it wants to know later. */
  details: Record<string, unknown>;
  total: number;
  counts: Record<OutcomeStatus, number>;
  createdAt: number;
  /** When it is stopped, whatever is left of it. */
  expiresAt?: number;
  /** When the last item ended. */
  finishedAt?: number;
  stopped?: { reason: StopReason; at: number };
}

/** Items of one kind: those still to do, and those that ever ended. */
export interface QueueCounts {
  kind: string;
  waiting: number;
  active: number;
  /** To be tried later. */
  delayed: number;
  ended: Record<OutcomeStatus, number>;
}

/** Whom a job works for. */
export interface JobData {
  run: string;
  index: number;
}

/** All keys of runs begin so; BullMQ's own are under `levin:queue`. */
const prefix = "levin:run";
const kindsKey = `${prefix}-kinds`;
/** Followed by the kind: how many items ended, by status. */
const endedKey = `${prefix}-ended:`;
export const queuePrefix = "levin:queue";

/** Jobs that are handed to Redis at once, results that are read at once. */
const page = 500;
/** What is finished is kept for so many seconds. */
const retention = 30 * 24 * 3600;

/** A job that can't be done now is tried so often, with pauses from a second on, doubled each time. */
const patience = {
  attempts: 10,
  backoff: { type: "exponential", delay: 1000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: true,
};

/**
 * Stores the outcome of an item once, whoever does it again, and knows when all are there.
 * KEYS run, results, items; ARGV index, outcome, status, now, retention, endedKey
 */
const record = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("HSETNX", KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call("HINCRBY", KEYS[1], ARGV[3], 1)
redis.call("HINCRBY", ARGV[6] .. redis.call("HGET", KEYS[1], "kind"), ARGV[3], 1)
if redis.call("HLEN", KEYS[2]) == tonumber(redis.call("HGET", KEYS[1], "total")) then
  redis.call("HSET", KEYS[1], "finishedAt", ARGV[4])
  redis.call("DEL", KEYS[3])
  redis.call("EXPIRE", KEYS[1], ARGV[5])
  redis.call("EXPIRE", KEYS[2], ARGV[5])
end
return 1`;

/**
 * Long work in Redis: a run is a list of items of one kind, each of which some worker deals with
 * once. A job of BullMQ names an item; its outcome is stored by the first worker that has it, so
 * one that is done twice, because a worker died or fell silent, counts once.
 */
export class JobRuns {
  readonly #redis: Redis;
  readonly #queues = new Map<string, Queue<JobData>>();

  readonly #now: () => number;

  /**
   * @param redis stays its owner's: `close` leaves it open
   * @param now a clock, in milliseconds since 1970
   */
  constructor(redis: Redis, now: () => number = Date.now) {
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * Stores a run and hands its items to the workers of its kind.
   * @param items each as text
   * @param options.window milliseconds after which it is stopped
   */
  async create(
    kind: string,
    items: readonly string[],
    {
      id = randomUUID(),
      details = {},
      window,
    }: { id?: string; details?: Record<string, unknown>; window?: number } = {},
  ): Promise<Run> {
    const createdAt = this.#now();
    for (let start = 0; start < items.length; start += page) {
      const entries = items.slice(start, start + page).flatMap((item, i) => [start + i, item]);
      await this.#redis.hset(`${prefix}:${id}:items`, ...entries);
    }
    const isEmpty = items.length === 0;
    await this.#redis
      .multi()
      .sadd(kindsKey, kind)
      .hset(`${prefix}:${id}`, {
        kind,
        details: JSON.stringify(details),
        total: items.length,
        createdAt,
        ...(window !== undefined && { expiresAt: createdAt + window }),
        ...(isEmpty && { finishedAt: createdAt }),
      })
      .zadd(`${prefix}s:${kind}`, createdAt, id)
      .exec();
    await this.#enqueue(kind, id, items.length);
    return (await this.get(id))!;
  }

  /** Adding an item twice does nothing: jobs are known by name. */
  async #enqueue(kind: string, run: string, total: number): Promise<void> {
    const done = new Set(await this.#redis.hkeys(`${prefix}:${run}:results`));
    const indices = Array.from({ length: total }, (_, i) => i).filter((i) => !done.has(`${i}`));
    for (let start = 0; start < indices.length; start += page) {
      const jobs = indices.slice(start, start + page).map((index) => ({
        name: kind,
        data: { run, index },
        opts: { jobId: jobName(run, index), ...patience },
      }));
      await this.#queue(kind).addBulk(jobs);
    }
    await this.#redis.hset(`${prefix}:${run}`, "isQueued", 1);
  }

  /** Completes what a process left that died while it created a run. */
  async resume(kind: string): Promise<void> {
    for (const id of await this.#redis.zrange(`${prefix}s:${kind}`, 0, -1)) {
      const [total, isQueued] = await this.#redis.hmget(`${prefix}:${id}`, "total", "isQueued");
      if (total && !isQueued) await this.#enqueue(kind, id, Number(total));
    }
  }

  async get(id: string): Promise<Run | undefined> {
    const fields = await this.#redis.hgetall(`${prefix}:${id}`);
    const { kind, details, total, createdAt, expiresAt } = fields;
    const { finishedAt, stopped, stoppedAt } = fields;
    if (kind === undefined) return undefined;
    return {
      id,
      kind,
      details: JSON.parse(details!) as Record<string, unknown>,
      total: Number(total),
      counts: outcomeCounts(fields),
      createdAt: Number(createdAt),
      ...(expiresAt && { expiresAt: Number(expiresAt) }),
      ...(finishedAt && { finishedAt: Number(finishedAt) }),
      ...(stopped && { stopped: { reason: stopped as StopReason, at: Number(stoppedAt) } }),
    };
  }

  /** A run as it stands; one whose time is up is stopped. */
  async current(id: string): Promise<Run | undefined> {
    const run = await this.get(id);
    const isLate = run?.expiresAt !== undefined && this.#now() >= run.expiresAt;
    if (!isLate || run.finishedAt !== undefined || run.stopped) return run;
    await this.stop(id, "expired");
    return this.get(id);
  }

  /** Ids of all runs of a kind that are kept, the newest first. */
  async list(kind: string): Promise<string[]> {
    const key = `${prefix}s:${kind}`;
    await this.#redis.zremrangebyscore(key, 0, this.#now() - 2 * retention * 1000);
    return this.#redis.zrange(key, 0, -1, "REV");
  }

  /** The text of an item; nothing when its outcome is known, or the run. */
  async item(run: string, index: number): Promise<string | undefined> {
    const isDone = await this.#redis.hexists(`${prefix}:${run}:results`, `${index}`);
    if (isDone) return undefined;
    return (await this.#redis.hget(`${prefix}:${run}:items`, `${index}`)) ?? undefined;
  }

  /** Whether this was the first outcome of the item: later ones change nothing. */
  async record(run: string, index: number, outcome: Outcome): Promise<boolean> {
    const key = `${prefix}:${run}`;
    const keys = [key, `${key}:results`, `${key}:items`];
    const values = [
      index,
      JSON.stringify(outcome),
      outcome.status,
      this.#now(),
      retention,
      endedKey,
    ];
    return (await this.#redis.eval(record, keys.length, ...keys, ...values)) === 1;
  }

  /** Outcomes so far, in the order of the items. */
  async *outcomes(run: string): AsyncGenerator<Outcome> {
    const total = Number(await this.#redis.hget(`${prefix}:${run}`, "total"));
    for (let start = 0; start < total; start += page) {
      const length = Math.min(page, total - start);
      const indices = Array.from({ length }, (_, i) => start + i);
      yield* (await this.outcomesOf(run, indices)).values();
    }
  }

  /** Outcomes so far of some items, by their numbers. */
  async outcomesOf(run: string, indices: readonly number[]): Promise<Map<number, Outcome>> {
    const found = new Map<number, Outcome>();
    for (let start = 0; start < indices.length; start += page) {
      const some = indices.slice(start, start + page);
      const outcomes = await this.#redis.hmget(`${prefix}:${run}:results`, ...some.map(String));
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome !== null) found.set(some[i]!, JSON.parse(outcome) as Outcome);
      }
    }
    return found;
  }

  /** Skips all items that no worker has begun with; those in progress are completed. */
  async stop(id: string, reason: StopReason): Promise<void> {
    const run = await this.get(id);
    if (!run || run.finishedAt !== undefined) return;
    const isFirst = await this.#redis.hsetnx(`${prefix}:${id}`, "stopped", reason);
    if (isFirst) await this.#redis.hset(`${prefix}:${id}`, "stoppedAt", this.#now());
    const queue = this.#queue(run.kind);
    for (let index = 0; index < run.total; index++) {
      const isRemoved = await queue.remove(jobName(id, index));
      if (isRemoved) await this.record(id, index, { status: "skipped" });
    }
  }

  /** How much there is to do, and was done, of each kind. */
  async queues(): Promise<QueueCounts[]> {
    const kinds = await this.#redis.smembers(kindsKey);
    return Promise.all(
      kinds.map(async (kind) => {
        const {
          waiting = 0,
          active = 0,
          delayed = 0,
        } = await this.#queue(kind).getJobCounts("waiting", "active", "delayed");
        const ended = outcomeCounts(await this.#redis.hgetall(endedKey + kind));
        return { kind, waiting, active, delayed, ended };
      }),
    );
  }

  /** Stops a run and forgets it with all its outcomes; what is at hand is done for nothing. */
  async remove(id: string): Promise<void> {
    const run = await this.get(id);
    if (!run) return;
    await this.stop(id, "cancelled");
    const key = `${prefix}:${id}`;
    await this.#redis.del(key, `${key}:items`, `${key}:results`);
    await this.#redis.zrem(`${prefix}s:${run.kind}`, id);
  }

  /** How many workers of a kind there are now. */
  async workers(kind: string): Promise<number> {
    return this.#queue(kind).getWorkersCount();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  #queue(kind: string): Queue<JobData> {
    const known = this.#queues.get(kind);
    if (known) return known;
    const queue = new Queue<JobData>(kind, { connection: this.#redis, prefix: queuePrefix });
    // Commands fail by themselves; without a listener the event would end the process.
    queue.on("error", () => {});
    this.#queues.set(kind, queue);
    return queue;
  }
}

function outcomeCounts({ completed, failed, skipped }: Record<string, string>): Run["counts"] {
  return {
    completed: Number(completed ?? 0),
    failed: Number(failed ?? 0),
    skipped: Number(skipped ?? 0),
  };
}

function jobName(run: string, index: number): string {
  return `${run}-${index}`;
}
