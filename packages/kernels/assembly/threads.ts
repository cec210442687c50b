// One job at a time, worked on by all threads of the pool. The build without threads keeps the same
// functions: there, one thread does everything.

import { placeConstants } from "./exponential";
import { execute } from "./kernels";

// Fields of the control block, bytes from its start; counters of `claim` follow.
const GENERATION: usize = 0;
const KERNEL: usize = 4;
const ARGUMENTS: usize = 8;
const THREADS: usize = 12;
const DONE: usize = 16;
const BARRIER_COUNT: usize = 20;
const BARRIER_GENERATION: usize = 24;
const READY: usize = 28;
const COUNTERS: usize = 32;
const COUNTER_COUNT: usize = 8;
/** Constants of exponentials, in a cache line that nobody writes while they are read. */
const CONSTANTS: usize = 64;

/**
 * Looks at a value this often before sleeping, some tenths of a millisecond: a sleeping thread takes
 * 60 µs and more to wake, as long as a whole job, and the next job of a token comes sooner than that.
 */
const SPINS: i32 = 400000;

/**
 * Looks of this thread while it waits for another inside a job. When that one has lost its core to some
 * other program, looking keeps it from ours: so half as many after each wait that was in vain, and some
 * more after each that was not. Beside a busy program a token takes 2.7 ms so, with {@link SPINS} 7.7.
 */
let patience: i32 = SPINS;
const LEAST_PATIENCE: i32 = 20000;
const MORE_PATIENCE: i32 = 8192;

/** Sleeps, or rounds of looking, after which a thread of the job must be dead: about a minute. */
const MOST_SLEEPS: i32 = 6000;
const MOST_ROUNDS: i32 = 200000;

/** Where the control block stands; set once in every thread. */
let control: usize = 0;
/** False in the main thread of a browser, which must not sleep. */
let maySleep: bool = false;

export function setControl(address: usize, sleeps: bool): void {
  control = address;
  maySleep = sleeps;
  placeConstants(address + CONSTANTS);
}

/** Workers that wait for jobs. */
export function readyWorkers(): i32 {
  return ASC_FEATURE_THREADS ? atomic.load<i32>(control, READY) : 0;
}

/** Runs a kernel on this thread and `threads − 1` workers; returns when all are done. */
export function dispatch(kernel: i32, args: usize, threads: i32): void {
  for (let i: usize = 0; i < COUNTER_COUNT; i++) store<i32>(control + (i << 2), 0, COUNTERS);
  if (ASC_FEATURE_THREADS && threads > 1) {
    store<i32>(control, kernel, KERNEL);
    store<usize>(control, args, ARGUMENTS);
    store<i32>(control, threads, THREADS);
    atomic.store<i32>(control, 0, DONE);
    atomic.add<i32>(control, 1, GENERATION);
    atomic.notify(control + GENERATION, threads - 1);
  }
  execute(kernel, args, 0, threads);
  if (ASC_FEATURE_THREADS && threads > 1) {
    for (let waits = 0; ; waits++) {
      const done = atomic.load<i32>(control, DONE);
      if (done == threads - 1) break;
      waitWhile(control + DONE, done, waits);
    }
  }
}

/** The life of a worker: its index is 1 .. threads − 1. Never returns; without jobs it sleeps. */
export function work(index: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  let seen = atomic.load<i32>(control, GENERATION);
  atomic.add<i32>(control, 1, READY);
  for (;;) {
    for (let i = 0; i < SPINS && atomic.load<i32>(control, GENERATION) == seen; i++) {}
    atomic.wait<i32>(control + GENERATION, seen, -1);
    const generation = atomic.load<i32>(control, GENERATION);
    if (generation == seen) continue;
    seen = generation;
    execute(
      load<i32>(control, KERNEL),
      load<usize>(control, ARGUMENTS),
      index,
      load<i32>(control, THREADS),
    );
    atomic.add<i32>(control, 1, DONE);
    atomic.notify(control + DONE, 1);
  }
}

/** Returns when all threads of the job have come here. */
export function barrier(threads: i32): void {
  if (!ASC_FEATURE_THREADS || threads == 1) return;
  const generation = atomic.load<i32>(control, BARRIER_GENERATION);
  if (atomic.add<i32>(control, 1, BARRIER_COUNT) == threads - 1) {
    atomic.store<i32>(control, 0, BARRIER_COUNT);
    atomic.add<i32>(control, 1, BARRIER_GENERATION);
    atomic.notify(control + BARRIER_GENERATION, threads - 1);
    return;
  }
  for (let waits = 0; atomic.load<i32>(control, BARRIER_GENERATION) == generation; waits++) {
    waitWhile(control + BARRIER_GENERATION, generation, waits);
  }
}

/** The next piece of work, 0 1 2 …, each handed out once; a job has eight such counters. */
export function claim(counter: i32): i32 {
  const address = control + ((<usize>counter) << 2);
  if (ASC_FEATURE_THREADS) return atomic.add<i32>(address, 1, COUNTERS);
  const next = load<i32>(address, COUNTERS);
  store<i32>(address, next + 1, COUNTERS);
  return next;
}

/** Hands the work of a counter out anew: for another job of a sequence, when all threads are done with it. */
export function unclaim(counter: i32): void {
  store<i32>(control + ((<usize>counter) << 2), 0, COUNTERS);
}

/**
 * Waits while the value at an address is `value`, some hundredths of a second at most. Traps when it
 * was called too often in a row: then another thread has died inside the job.
 */
function waitWhile(address: usize, value: i32, waits: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  if (waits > (maySleep ? MOST_SLEEPS : MOST_ROUNDS)) unreachable();
  for (let i = 0; i < patience; i++) {
    if (atomic.load<i32>(address) == value) continue;
    patience = min(SPINS, patience + MORE_PATIENCE);
    return;
  }
  if (!maySleep) return;
  patience = max(LEAST_PATIENCE, patience >> 1);
  atomic.wait<i32>(address, value, 10_000_000);
}

/** First of the items `0..count−1` that belong to a thread; its last is before that of the next. */
// @ts-ignore: decorator
@inline
export function shareStart(count: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>count * thread) / threads);
}
