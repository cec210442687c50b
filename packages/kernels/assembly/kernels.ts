// The jobs of this module by number. A switch, not a table of function values: those would need
// static data, and this module must have none (see index.ts).

import { expertMixture } from "./expert-mixture";
import { expertMixtureGradient } from "./expert-mixture-gradient";
import { matrixProduct } from "./matrix-product";

export const MATRIX_PRODUCT: i32 = 0;
export const EXPERT_MIXTURE: i32 = 1;
export const EXPERT_MIXTURE_GRADIENT: i32 = 2;

/** One thread's part of a job. */
export function execute(kernel: i32, args: usize, thread: i32, threads: i32): void {
  switch (kernel) {
    case MATRIX_PRODUCT:
      matrixProduct(args, thread, threads);
      break;
    case EXPERT_MIXTURE:
      expertMixture(args, thread, threads);
      break;
    case EXPERT_MIXTURE_GRADIENT:
      expertMixtureGradient(args, thread, threads);
      break;
  }
}
