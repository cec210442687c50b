import type * as tf from "@tensorflow/tfjs-core";
import type {
  DecodeHead,
  DecodeResidual,
  DecodeStep,
  LightningDecode,
  MixtureDecode,
  SoftmaxDecode,
} from "../decode-step/decode-step.ts";
import { expertKinds } from "../expert-mixture/expert-kinds.ts";
import { KernelShapeError } from "../kernel.ts";
import { weightKind } from "../quantized/block-layout.ts";
import { floatBits, type FusedEngine, type Job } from "./fused-engine.ts";
import { matrixProductBytes, matrixProductJob } from "./matrix-product.ts";
import type { FusedKernel } from "./register-fused.ts";
import { softmaxStepBytes, softmaxStepJob, type SoftmaxSegment } from "./softmax-step.ts";

const name = "decodeStep";

/** One token of each row through the whole decoder: its blocks' jobs as one sequence. */
export const fusedDecodeStep: FusedKernel = {
  name: "LevinDecodeStep",
  run: (engine, _inputs, { step }: { step: DecodeStep }) => {
    const decoder = new Decoder(engine, step);
    const states = step.layers.flatMap(({ attention, mixture }) => {
      const next =
        attention.kind === "lightning" ? decoder.lightning(attention) : decoder.softmax(attention);
      decoder.mixture(mixture);
      return next;
    });
    return [...states, decoder.finish()];
  },
};

/** Memory of a step, shared by its jobs: activations, then what one job at a time needs. */
interface Workspace {
  /** Hidden states before and after a block, `[batch, hidden]`. */
  hidden: [number, number];
  /** Queries and outputs of softmax attention, `[batch, heads, headDim]`. */
  queries: number;
  attended: number;
  work: number;
}

/** Collects the jobs of a step, block by block. */
class Decoder {
  readonly #engine: FusedEngine;
  readonly #step: DecodeStep;
  readonly #batch: number;
  readonly #width: number;
  readonly #space: Workspace;
  readonly #jobs: Job[] = [];

  constructor(engine: FusedEngine, step: DecodeStep) {
    this.#engine = engine;
    this.#step = step;
    this.#batch = step.ids.length;
    const [rows, width] = step.embedding.shape as [number, number];
    this.#width = width;
    this.#space = this.#workspace();
    const [hidden] = this.#space.hidden;
    step.ids.forEach((id, row) => {
      if (!(id >= 0 && id < rows)) throw new KernelShapeError(name, `ids below ${rows}`, `${id}`);
      const from = engine.address(step.embedding) + 4 * id * width;
      engine.copy(hidden + 4 * row * width, from, 4 * width);
    });
  }

  lightning(block: LightningDecode): tf.TensorInfo[] {
    const engine = this.#engine;
    const [, heads, headDim] = block.state.shape;
    const { qkvProjection, outputGate, outputProjection } = block;
    const width = heads * headDim;
    const next = engine.overwrite(block.state);
    this.#add("LIGHTNING_BLOCK_STEP", [
      ...this.#residual(block),
      ...[heads, headDim],
      ...engine.addresses([
        qkvProjection,
        block.innerNorm,
        outputGate,
        outputProjection,
        block.state,
        next,
      ]),
      this.#space.work,
      sameKind([qkvProjection, outputGate], [3 * width, width], this.#width),
      weightKind(name, outputProjection, [this.#width, width]),
      ...block.slopes.map((slope) => floatBits(Math.exp(-slope))),
    ]);
    return [next];
  }

  softmax(block: SoftmaxDecode): tf.TensorInfo[] {
    const engine = this.#engine;
    const { numHeads: heads, numKeyValueHeads: kvHeads, headDim, settled, recent } = block;
    const { queryProjection, keyProjection, valueProjection, outputProjection } = block;
    const { queries, attended, work } = this.#space;
    const { cos, sin } = this.#step.angles;
    const half = cos.length / this.#batch;
    const known = recent?.keys.shape[2] ?? 0;
    const shape = [this.#batch, kvHeads, known + 1, headDim];
    const next = { keys: engine.output(shape), values: engine.output(shape) };
    const [input] = this.#space.hidden;
    this.#add("SOFTMAX_INPUTS_STEP", [
      ...[this.#batch, this.#width, heads, kvHeads, headDim, half],
      ...[input, engine.address(block.norm), floatBits(block.epsilon)],
      sameKind(
        [queryProjection, keyProjection, valueProjection],
        [heads * headDim, kvHeads * headDim, kvHeads * headDim],
        this.#width,
      ),
      ...engine.addresses([queryProjection, keyProjection, valueProjection]),
      known,
      ...engine.addresses([recent?.keys, recent?.values, next.keys, next.values]),
      ...[queries, work],
      ...Array.from({ length: this.#batch }, (_, row) =>
        [cos, sin].flatMap((list) => [...list.subarray(row * half, (row + 1) * half)]),
      )
        .flat()
        .map(floatBits),
    ]);
    const segments: SoftmaxSegment[] = settled ? [settled, next] : [next];
    this.#jobs.push(
      softmaxStepJob(engine, this.#softmaxSizes(block), segments, {
        queries,
        output: attended,
        mask: block.mask,
        work,
      }),
    );
    const width = heads * headDim;
    this.#add("OUTPUT_PROJECTION_STEP", [
      ...this.#residual(block),
      ...[width, attended, engine.address(outputProjection)],
      weightKind(name, outputProjection, [this.#width, width]),
      work,
    ]);
    return [next.keys, next.values];
  }

  mixture(block: MixtureDecode): void {
    const engine = this.#engine;
    const { router, experts, k } = block;
    const { kind, downKind } = expertKinds(name, experts, this.#width);
    this.#add("MIXTURE_BLOCK_STEP", [
      ...this.#residual(block),
      ...[k, experts.length, experts[0]!.gate.shape[0]!],
      ...[engine.address(router), this.#space.work, kind, downKind],
      ...experts.flatMap(({ gate, up, down }) => engine.addresses([gate, up, down])),
    ]);
  }

  /** Runs all jobs; logits, or hidden states where there is no head. */
  finish(): tf.TensorInfo {
    const engine = this.#engine;
    const { head } = this.#step;
    const output = engine.output([this.#batch, head?.weight.shape[0] ?? this.#width]);
    if (head) this.#head(head, output);
    engine.runSequence(this.#jobs);
    if (!head) {
      const [hidden] = this.#space.hidden;
      engine.copy(engine.address(output), hidden, 4 * this.#batch * this.#width);
    }
    return output;
  }

  #head({ norm, epsilon, weight }: DecodeHead, logits: tf.TensorInfo): void {
    const engine = this.#engine;
    const [hidden, normalised] = this.#space.hidden;
    const vocab = weight.shape[0]!;
    this.#add("RMS_NORM", [
      ...[this.#batch, this.#width, floatBits(epsilon)],
      ...[hidden, engine.address(norm), normalised],
    ]);
    this.#jobs.push(
      matrixProductJob(engine, [this.#batch, vocab, this.#width], {
        a: [normalised, this.#width, 1],
        b: [engine.address(weight), 1, weight.shape[1]!],
        c: engine.address(logits),
        kind: weightKind(name, weight, [vocab, this.#width]),
        work: this.#space.work,
      }),
    );
  }

  #add(kernel: string, args: number[]): void {
    this.#jobs.push({ kernel, args });
  }

  /** First arguments of a block's last job; its output is the next block's input. */
  #residual({ norm, epsilon, alpha, beta, postnorm }: DecodeResidual): number[] {
    const [input, output] = this.#space.hidden;
    this.#space.hidden.reverse();
    return [
      ...[this.#batch, this.#width, input, output, this.#engine.address(norm)],
      ...[epsilon, alpha, beta].map(floatBits),
      postnorm ? 1 : 0,
    ];
  }

  #softmaxSizes({ numHeads, numKeyValueHeads, headDim, settled, recent }: SoftmaxDecode) {
    const keys = (settled?.keys.shape[2] ?? 0) + (recent?.keys.shape[2] ?? 0) + 1;
    const group = numHeads / numKeyValueHeads;
    return { batch: this.#batch, kvHeads: numKeyValueHeads, group, headDim, keys };
  }

  #workspace(): Workspace {
    const row = 4 * this.#batch * this.#width;
    const width = Math.max(
      0,
      ...this.#step.layers.map(({ attention }) => attendedWidth(attention)),
    );
    const attended = 4 * this.#batch * width;
    const start = this.#engine.scratch(2 * (row + attended) + this.#workBytes());
    return {
      hidden: [start, start + row],
      queries: start + 2 * row,
      attended: start + 2 * row + attended,
      work: start + 2 * (row + attended),
    };
  }

  /** Memory of the job that needs most. */
  #workBytes(): number {
    const engine = this.#engine;
    const threads = engine.maxThreads;
    const sizes = [this.#batch, this.#width] as const;
    let most = matrixProductBytes(engine, this.#width);
    for (const { attention, mixture } of this.#step.layers) {
      const { router, experts, k } = mixture;
      const intermediate = experts[0]?.gate.shape[0] ?? 0;
      const choices = [k, router.shape[0]!, intermediate] as const;
      most = Math.max(most, engine.call("mixtureBlockStepBytes", ...sizes, ...choices, threads));
      if (attention.kind === "lightning") {
        const [, heads, headDim] = attention.state.shape;
        const bytes = engine.call("lightningBlockStepBytes", ...sizes, heads, headDim, threads);
        most = Math.max(most, bytes);
      } else {
        most = Math.max(
          most,
          engine.call("softmaxInputsStepBytes", ...sizes, threads),
          softmaxStepBytes(engine, this.#softmaxSizes(attention)),
          engine.call(
            "outputProjectionStepBytes",
            ...[...sizes, attention.numHeads * attention.headDim, threads],
          ),
        );
      }
    }
    return most;
  }
}

/** Numbers of all heads of a softmax layer. */
function attendedWidth(attention: LightningDecode | SoftmaxDecode): number {
  return attention.kind === "softmax" ? attention.numHeads * attention.headDim : 0;
}

/** The one kind of weights `[rows, columns]` that are multiplied with the same input. */
function sameKind(weights: readonly tf.Tensor[], rows: readonly number[], columns: number): number {
  const kinds = weights.map((weight, i) => weightKind(name, weight, [rows[i]!, columns]));
  const other = kinds.findIndex((kind) => kind !== kinds[0]);
  if (other > 0) {
    const describe = ({ dtype, shape }: tf.Tensor): string => `${dtype} [${shape}]`;
    throw new KernelShapeError(
      name,
      "projections of the same kind of weights",
      `${describe(weights[0]!)} and ${describe(weights[other]!)}`,
    );
  }
  return kinds[0]!;
}
