import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeWhole } from "./write-whole.ts";

const count = z.int().min(0);
const countsSchema = z.object({ requests: count, promptTokens: count, completionTokens: count });

/** What was used. */
export type UsageCounts = z.output<typeof countsSchema>;

const keyUsageSchema = z.object({
  total: countsSchema,
  /** The day in UTC that `today` is of, as 2026-11-28. */
  day: z.string(),
  today: countsSchema,
});

/** What a key used, in all and today. */
export type KeyUsage = z.output<typeof keyUsageSchema>;

const none: UsageCounts = { requests: 0, promptTokens: 0, completionTokens: 0 };

/**
 * Counts what each key uses. Kept in a folder, a file for each key, to which `flush` adds what is
 * new: several servers may count into one folder.
 */
export class UsageBook {
  readonly #directory: string | undefined;
  readonly #saved = new Map<string, KeyUsage>();
  readonly #unsaved = new Map<string, KeyUsage>();

  /** @param directory none: counts are kept in memory alone */
  constructor(directory?: string) {
    this.#directory = directory;
  }

  add(id: string, counts: Partial<UsageCounts>, now = new Date()): void {
    this.#unsaved.set(id, sum(this.#unsaved.get(id) ?? noUsage(now), used(counts, now), now));
  }

  of(id: string, now = new Date()): KeyUsage {
    let saved = this.#saved.get(id);
    if (saved === undefined) this.#saved.set(id, (saved = this.#read(id) ?? noUsage(now)));
    return sum(saved, this.#unsaved.get(id) ?? noUsage(now), now);
  }

  /** Saves what was counted since; a failure loses nothing, the next time tries again. */
  flush(now = new Date()): void {
    if (this.#directory === undefined || this.#unsaved.size === 0) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const [id, unsaved] of this.#unsaved) {
      const usage = sum(this.#read(id) ?? noUsage(now), unsaved, now);
      writeWhole(join(this.#directory, `${id}.json`), usage);
      this.#saved.set(id, usage);
      this.#unsaved.delete(id);
    }
  }

  #read(id: string): KeyUsage | undefined {
    if (this.#directory === undefined) return undefined;
    try {
      const text = readFileSync(join(this.#directory, `${id}.json`), "utf8");
      return keyUsageSchema.parse(JSON.parse(text));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function noUsage(now: Date): KeyUsage {
  return { total: none, day: dayOf(now), today: none };
}

function used(counts: Partial<UsageCounts>, now: Date): KeyUsage {
  const all = { ...none, ...counts };
  return { total: all, day: dayOf(now), today: all };
}

function sum(a: KeyUsage, b: KeyUsage, now: Date): KeyUsage {
  const day = dayOf(now);
  const todays = [a, b].filter((usage) => usage.day === day).map((usage) => usage.today);
  return { total: plus(a.total, b.total), day, today: todays.reduce(plus, none) };
}

function plus(a: UsageCounts, b: UsageCounts): UsageCounts {
  return {
    requests: a.requests + b.requests,
    promptTokens: a.promptTokens + b.promptTokens,
    completionTokens: a.completionTokens + b.completionTokens,
  };
}

function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}
