// Jobs one after another as one job, so that the host and the other threads are called once. Each job
// sees what all threads did in those before it.

import { execute } from "./kernels";
import { barrier } from "./threads";

/** Arguments, 4 bytes each: the number of jobs, then for each its kernel and the address of its arguments. */
export function sequence(args: usize, thread: i32, threads: i32): void {
  const end = args + 4 + ((<usize>load<i32>(args)) << 3);
  for (let job = args + 4; job < end; job += 8) {
    execute(load<i32>(job), load<usize>(job, 4), thread, threads);
    barrier(threads);
  }
}
