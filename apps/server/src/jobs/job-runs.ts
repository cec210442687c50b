import { randomUUID } from "node:crypto";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import { recordOnce, setOnce } from "./run-scripts.ts";

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
  /** Whose it is; empty when nobody said so. */
  owner: string;
  /** What whoever created it wants to know later. */
  details: Record<string, unknown>;
  total: number;
  counts: Record<OutcomeStatus, number>;
  /** Bytes of the values of outcomes, each a line of JSON. */
  bytes: Record<OutcomeStatus, number>;
  /** Bytes of the items, which are kept until the last has ended. */
  itemBytes: number;
  /** Outcomes that are no longer kept. */
  dropped: OutcomeStatus[];
  createdAt: number;
  /** When it is stopped, whatever is left of it. */
  expiresAt?: number;
  /** When the last item ended. */
  finishedAt?: number;
  stopped?: { reason: StopReason; at: number };
}

/** What may be said of a run that is created. */
export interface NewRun {
  id?: string;
  owner?: string;
  details?: Record<string, unknown>;
  window?: number;
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
/** A run is kept for so many seconds from its last outcome on, whether it is finished or forsaken. */
const retention = 30 * 24 * 3600;

/** A job that can't be done now is tried so often, with pauses from a second on, doubled each time. */
const patience = {
  attempts: 10,
  backoff: { type: "exponential", delay: 1000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: true,
};

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
   * @param options.owner whose it is, to list those of one
   * @param options.window milliseconds after which it is stopped
   */
  async create(
    kind: string,
    items: readonly string[],
    { id = randomUUID(), owner = "", details = {}, window }: NewRun = {},
  ): Promise<Run> {
    const createdAt = this.#now();
    const itemsKey = `${prefix}:${id}:items`;
    for (const entries of pagesOf([...items.entries()])) {
      // A time of its own from the first page on: whoever creates a run may die.
      await this.#redis
        .multi()
        .hset(itemsKey, ...entries.flat())
        .expire(itemsKey, retention)
        .exec();
    }
    const isEmpty = items.length === 0;
    await this.#redis
      .multi()
      .sadd(kindsKey, kind)
      .hset(`${prefix}:${id}`, {
        kind,
        owner,
        details: JSON.stringify(details),
        total: items.length,
        itemBytes: items.reduce((sum, item) => sum + Buffer.byteLength(item), 0),
        createdAt,
        ...(window !== undefined && { expiresAt: createdAt + window }),
        ...(isEmpty && { finishedAt: createdAt }),
      })
      .expire(`${prefix}:${id}`, retention)
      .zadd(listKey(kind), createdAt, id)
      .zadd(listKey(kind, owner), createdAt, id)
      .expire(listKey(kind, owner), 2 * retention)
      .exec();
    await this.#enqueue(kind, id, items.length);
    return (await this.get(id))!;
  }

  /** Adding an item twice does nothing: jobs are known by name. */
  async #enqueue(kind: string, run: string, total: number): Promise<void> {
    const done = new Set(await this.#redis.hkeys(`${prefix}:${run}:results`));
    const missing = indicesOf(total).filter((index) => !done.has(`${index}`));
    for (const indices of pagesOf(missing)) {
      const jobs = indices.map((index) => ({
        name: kind,
        data: { run, index },
        opts: { jobId: jobName(run, index), ...patience },
      }));
      await this.#queue(kind).addBulk(jobs);
    }
    await this.#setOnce(run, "isQueued", 1);
  }

  /** Sets fields of a run that is there, unless the first of them is set already. */
  async #setOnce(id: string, ...fields: (string | number)[]): Promise<void> {
    await this.#redis.eval(setOnce, 1, `${prefix}:${id}`, ...fields);
  }

  /** Completes what a process left that died while it created or stopped a run, and stops those whose time is up. */
  async resume(kind: string): Promise<void> {
    for (const id of await this.list(kind)) {
      const run = await this.current(id);
      if (!run || run.finishedAt !== undefined) continue;
      const isQueued = await this.#redis.hexists(`${prefix}:${id}`, "isQueued");
      if (!isQueued) await this.#enqueue(kind, id, run.total);
      if (run.stopped) await this.stop(id, run.stopped.reason);
    }
  }

  async get(id: string): Promise<Run | undefined> {
    const fields = await this.#redis.hgetall(`${prefix}:${id}`);
    const { kind, owner = "", details, total, createdAt, expiresAt } = fields;
    const { itemBytes, finishedAt, stopped, stoppedAt } = fields;
    if (kind === undefined) return undefined;
    return {
      id,
      kind,
      owner,
      details: JSON.parse(details!) as Record<string, unknown>,
      total: Number(total),
      counts: byStatus((status) => Number(fields[status] ?? 0)),
      bytes: byStatus((status) => Number(fields[`bytes:${status}`] ?? 0)),
      itemBytes: finishedAt ? 0 : Number(itemBytes),
      dropped: statuses.filter((status) => `dropped:${status}` in fields),
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

  /** Ids of all runs of a kind that are kept, or of an owner's, the newest first. */
  async list(kind: string, owner?: string): Promise<string[]> {
    const key = listKey(kind, owner);
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
    const { status, value } = outcome;
    const bytes = value === undefined ? 0 : Buffer.byteLength(lineOf(value));
    const values = [
      index,
      JSON.stringify(outcome),
      status,
      this.#now(),
      retention,
      endedKey,
      bytes,
    ];
    return (await this.#redis.eval(recordOnce, keys.length, ...keys, ...values)) === 1;
  }

  /** Outcomes so far, in the order of the items. */
  async *outcomes(run: string): AsyncGenerator<Outcome> {
    const total = Number(await this.#redis.hget(`${prefix}:${run}`, "total"));
    for (const indices of pagesOf(indicesOf(total))) {
      yield* (await this.outcomesOf(run, indices)).values();
    }
  }

  /** Outcomes so far of some items, by their numbers. */
  async outcomesOf(run: string, indices: readonly number[]): Promise<Map<number, Outcome>> {
    const found = new Map<number, Outcome>();
    for (const some of pagesOf(indices)) {
      const outcomes = await this.#redis.hmget(`${prefix}:${run}:results`, ...some.map(String));
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome !== null) found.set(some[i]!, JSON.parse(outcome) as Outcome);
      }
    }
    return found;
  }

  /**
   * Skips all items that no worker has begun with; those in progress are completed. Done again, it
   * completes what a process left that died here.
   */
  async stop(id: string, reason: StopReason): Promise<void> {
    const run = await this.get(id);
    if (!run || run.finishedAt !== undefined) return;
    await this.#setOnce(id, "stopped", reason, "stoppedAt", this.#now());
    const queue = this.#queue(run.kind);
    const skip = async (index: number): Promise<void> => {
      const isRemoved = await queue.remove(jobName(id, index));
      if (isRemoved) await this.record(id, index, { status: "skipped" });
    };
    for (const indices of pagesOf(indicesOf(run.total))) await Promise.all(indices.map(skip));
  }

  /** Forgets the outcomes of a status of a run that is over; they stay counted. */
  async drop(id: string, status: OutcomeStatus): Promise<void> {
    const run = await this.get(id);
    if (!run) return;
    await this.#setOnce(id, `dropped:${status}`, 1);
    for (const indices of pagesOf(indicesOf(run.total))) {
      const outcomes = await this.outcomesOf(id, indices);
      const theirs = [...outcomes].filter(([, outcome]) => outcome.status === status);
      if (theirs.length === 0) continue;
      await this.#redis.hdel(`${prefix}:${id}:results`, ...theirs.map(([index]) => `${index}`));
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
        const counts = await this.#redis.hgetall(endedKey + kind);
        const ended = byStatus((status) => Number(counts[status] ?? 0));
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
    for (const list of [listKey(run.kind), listKey(run.kind, run.owner)]) {
      await this.#redis.zrem(list, id);
    }
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

const statuses: readonly OutcomeStatus[] = ["completed", "failed", "skipped"];

function byStatus(count: (status: OutcomeStatus) => number): Record<OutcomeStatus, number> {
  return {
    completed: count("completed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}

/** Numbers of all items. */
function indicesOf(total: number): number[] {
  return Array.from({ length: total }, (_, index) => index);
}

/** As many at a time as Redis is asked for at once. */
function* pagesOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += page) yield items.slice(start, start + page);
}

/** The value of an outcome as a line of a file. */
export function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Where the ids of all runs of a kind are, or those of an owner. */
function listKey(kind: string, owner?: string): string {
  return owner === undefined ? `${prefix}s:${kind}` : `${prefix}s-of:${owner}:${kind}`;
}

function jobName(run: string, index: number): string {
  return `${run}-${index}`;
}
