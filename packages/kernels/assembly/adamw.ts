// AdamW (Loshchilov & Hutter, arXiv 1711.05101) over many tensors in one job, each number read once:
//   m ← β₁ m + a g,  v ← β₂ v + b g²,  p ← shrink · p − rate · m / (√(unbias · v) + ε)
// Every operation rounds by itself, as in the form composed of tfjs operations.

import { loadSome, storeSome } from "./elementwise";
import { claim } from "./threads";

@unmanaged
class AdamW {
  blocks: i32;
  keepFirst: f32;
  addFirst: f32;
  keepSecond: f32;
  addSecond: f32;
  unbias: f32;
  epsilon: f32;
  rate: f32;
}

/** A piece of one tensor; the blocks follow the arguments. */
@unmanaged
class AdamWBlock {
  count: i32;
  shrink: f32;
  gradient: usize;
  parameter: usize;
  first: usize;
  second: usize;
  newParameter: usize;
  newFirst: usize;
  newSecond: usize;
}

export function adamW(args: usize, thread: i32, threads: i32): void {
  const job = changetype<AdamW>(args);
  const keepFirst = f32x4.splat(job.keepFirst);
  const addFirst = f32x4.splat(job.addFirst);
  const keepSecond = f32x4.splat(job.keepSecond);
  const addSecond = f32x4.splat(job.addSecond);
  const unbias = f32x4.splat(job.unbias);
  const epsilon = f32x4.splat(job.epsilon);
  const rate = f32x4.splat(job.rate);
  for (let n = claim(0); n < job.blocks; n = claim(0)) {
    const block = changetype<AdamWBlock>(
      args + offsetof<AdamW>() + <usize>n * offsetof<AdamWBlock>(),
    );
    const shrink = f32x4.splat(block.shrink);
    for (let i = 0; i < block.count; i += 4) {
      const at = (<usize>i) << 2;
      const left = block.count - i;
      const gradient = loadSome(block.gradient + at, left);
      const first = f32x4.add(
        f32x4.mul(loadSome(block.first + at, left), keepFirst),
        f32x4.mul(gradient, addFirst),
      );
      const second = f32x4.add(
        f32x4.mul(loadSome(block.second + at, left), keepSecond),
        f32x4.mul(f32x4.mul(gradient, gradient), addSecond),
      );
      const root = f32x4.add(f32x4.sqrt(f32x4.mul(second, unbias)), epsilon);
      const move = f32x4.mul(f32x4.div(first, root), rate);
      const parameter = f32x4.mul(loadSome(block.parameter + at, left), shrink);
      storeSome(block.newFirst + at, first, left);
      storeSome(block.newSecond + at, second, left);
      storeSome(block.newParameter + at, f32x4.sub(parameter, move), left);
    }
  }
}
