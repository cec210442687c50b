import { routeTopExperts } from "@levin/kernels";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { layers, loadLayersModel, sequential } from "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { DenseFeedForward, loadBalancingLoss, MixtureOfExperts, routerZLoss } from "./index.ts";
import { MixtureOfExpertsLayer } from "./layers.ts";

const normal = (shape: number[], seed: number): tf.Tensor =>
  tf.randomNormal(shape, 0, 1, "float32", seed);

function randomMixture(numExperts: number, numExpertsPerToken: number): MixtureOfExperts {
  const [hiddenSize, intermediateSize] = [6, 5];
  return new MixtureOfExperts(
    { hiddenSize, intermediateSize, numExperts, numExpertsPerToken },
    {
      router: normal([numExperts, hiddenSize], 1),
      experts: Array.from({ length: numExperts }, (_, e) => ({
        gate: normal([intermediateSize, hiddenSize], 10 + e),
        up: normal([intermediateSize, hiddenSize], 30 + e),
        down: normal([hiddenSize, intermediateSize], 50 + e),
      })),
    },
  );
}

/** Leaves out cases in which a rounding error would decide which of these numbers are the largest. */
function withoutTies(values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  fc.pre(sorted.every((value, i) => i === 0 || value - sorted[i - 1]! > 1e-5));
}

/** SPEC section 8 for one token in plain numbers: all experts, then the chosen ones. */
function specification(mixture: MixtureOfExperts, x: number[]): number[] {
  const times = (weight: tf.Tensor, v: number[]): number[] =>
    (weight.arraySync() as number[][]).map((row) => row.reduce((s, w, i) => s + w * v[i]!, 0));
  const { router, experts } = mixture.parameters;
  const logits = times(router, x);
  withoutTies(logits);
  const exps = logits.map(Math.exp);
  const chosen = [...exps.keys()]
    .toSorted((a, b) => exps[b]! - exps[a]!)
    .slice(0, mixture.config.numExpertsPerToken);
  const mass = chosen.reduce((s, e) => s + exps[e]!, 0);
  const result = x.map(() => 0);
  for (const e of chosen) {
    const { gate, up, down } = experts[e]!;
    const linear = times(up, x);
    const inner = times(gate, x).map((g, i) => (g / (1 + Math.exp(-g))) * linear[i]!);
    times(down, inner).forEach((y, i) => (result[i]! += (exps[e]! / mass) * y));
  }
  return result;
}

describe.each(["cpu", "wasm"])("MixtureOfExperts on %s", (backend) => {
  beforeAll(() => selectBackend(backend));

  it("gives the specification's numbers for any number of experts, choices and tokens", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1 }),
        (numExperts, k, tokens, seed) => {
          const mixture = randomMixture(numExperts, Math.min(k, numExperts));
          const x = normal([1, tokens, 6], seed) as tf.Tensor3D;
          const found = mixture.forward(x).output.arraySync()[0]!;
          x.arraySync()[0]!.forEach((row, t) => {
            const expected = specification(mixture, row);
            const scale = Math.max(1, ...expected.map(Math.abs));
            const errors = expected.map((y, i) => Math.abs(found[t]![i]! - y));
            expect(Math.max(...errors) / scale).toBeLessThan(1e-5);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("chooses by groups and adds the expert that all tokens see", () => {
    const routing = { groups: 3, groupsPerToken: 2, scale: 2.5 };
    const shared = { gate: normal([7, 6], 71), up: normal([7, 6], 72), down: normal([6, 7], 73) };
    const plain = randomMixture(9, 4);
    const expertBias = tf.mul(normal([9], 70), 0.3);
    const mixture = new MixtureOfExperts(
      { ...plain.config, routing },
      { ...plain.parameters, expertBias, shared },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1 }), (tokens, seed) => {
        const x = normal([1, tokens, 6], seed) as tf.Tensor3D;
        const { output, router } = mixture.forward(x);
        const bias = expertBias.arraySync() as number[];
        const expected = router.logits.arraySync().map((logits) => {
          const scores = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
          const biased = scores.map((score, e) => score + bias[e]!);
          const best = [0, 1, 2].map((group) =>
            biased
              .slice(3 * group, 3 * group + 3)
              .toSorted((a, b) => b - a)
              .slice(0, 2)
              .reduce((a, b) => a + b),
          );
          withoutTies(biased);
          withoutTies(best);
          const last = best.indexOf(Math.min(...best));
          const chosen = [...biased.keys()]
            .filter((e) => Math.floor(e / 3) !== last)
            .toSorted((a, b) => biased[b]! - biased[a]!)
            .slice(0, 4);
          const total = chosen.reduce((sum, e) => sum + scores[e]!, 0);
          return { chosen, weights: chosen.map((e) => (2.5 * scores[e]!) / total) };
        });
        expect(router.experts.arraySync()).toEqual(expected.map(({ chosen }) => chosen));
        const weights = tf.tensor2d(expected.map(({ weights: row }) => row));
        expect(tf.max(tf.abs(tf.sub(router.weights, weights))).dataSync()[0]).toBeLessThan(1e-5);
        const dense = new DenseFeedForward(shared).forward(x).output;
        const routed = new MixtureOfExperts(mixture.config, { ...plain.parameters, expertBias });
        const sum = tf.add(routed.forward(x).output, dense);
        const scale = tf.maximum(tf.max(tf.abs(sum)), 1);
        const error = tf.div(tf.max(tf.abs(tf.sub(output, sum))), scale);
        expect(error.dataSync()[0]).toBeLessThan(1e-5);
      }),
      { numRuns: 25 },
    );
  });

  it("computes a dense block as one expert that is always chosen", () => {
    const parameters = { gate: normal([7, 6], 1), up: normal([7, 6], 2), down: normal([6, 7], 3) };
    const alone = new MixtureOfExperts(
      { hiddenSize: 6, intermediateSize: 7, numExperts: 1, numExpertsPerToken: 1 },
      { router: normal([1, 6], 4), experts: [parameters] },
    );
    const x = normal([2, 5, 6], 5) as tf.Tensor3D;
    const { output } = new DenseFeedForward(parameters).forward(x);
    expect(tf.max(tf.abs(tf.sub(output, alone.forward(x).output))).dataSync()[0]).toBeLessThan(
      1e-4,
    );
  });

  it("computes only the chosen experts: others may hold anything", () => {
    const mixture = randomMixture(4, 1);
    const x = normal([1, 1, 6], 3) as tf.Tensor3D;
    const { output, router } = mixture.forward(x);
    const [chosen] = router.experts.dataSync();
    const experts = mixture.parameters.experts.map((expert, e) =>
      e === chosen ? expert : { ...expert, gate: tf.fill([5, 6], Number.NaN) },
    );
    const other = new MixtureOfExperts(mixture.config, { ...mixture.parameters, experts });
    expect(other.forward(x).output.arraySync()).toEqual(output.arraySync());
  });
});

describe("router losses", () => {
  beforeAll(() => selectBackend("cpu"));

  it("load balancing is k when balanced, more when not, and ignores padding", () => {
    const logits = tf.tensor2d([9, 0, 0, 9], [2, 2]);
    const experts = tf.tensor2d([0, 1], [2, 1], "int32");
    expect(loadBalancingLoss([{ logits, experts }]).dataSync()[0]).toBeCloseTo(1, 4);
    const onlyFirst = tf.tensor2d([[1, 0]]);
    expect(loadBalancingLoss([{ logits, experts }], onlyFirst).dataSync()[0]).toBeCloseTo(2, 3);
  });

  it.each(["cpu", "wasm"])(
    "work with a single expert on %s, gradients included",
    async (backend) => {
      await selectBackend(backend);
      const loss = (logits: tf.Tensor): tf.Scalar => {
        const { experts, weights } = routeTopExperts(logits as tf.Tensor2D, 1);
        const router = { logits: logits as tf.Tensor2D, experts };
        return tf.add(loadBalancingLoss([router]), tf.sum(weights)) as tf.Scalar;
      };
      const { value, grad } = tf.valueAndGrad(loss)(tf.tensor2d([[1], [2], [3]]));
      expect(value.dataSync()[0]).toBeCloseTo(4, 5);
      expect([...grad.dataSync()]).toEqual([0, 0, 0]);
      await selectBackend("cpu");
    },
  );

  it("z-loss is the mean square of log-sum-exp", () => {
    const logits = tf.tensor2d([0, 0, 1, 2], [2, 2]);
    const expected = (Math.log(2) ** 2 + Math.log(Math.E + Math.E ** 2) ** 2) / 2;
    expect(routerZLoss(logits).dataSync()[0]).toBeCloseTo(expected, 5);
  });
});

describe("MixtureOfExpertsLayer inside a tfjs model", () => {
  beforeAll(() => selectBackend("cpu"));

  it("trains every part, and is saved and loaded by model.save", async () => {
    const mixture = new MixtureOfExpertsLayer({
      intermediateSize: 6,
      numExperts: 3,
      numExpertsPerToken: 2,
    });
    const model = sequential({
      layers: [layers.dense({ units: 4, inputShape: [5, 3] }), mixture, layers.dense({ units: 1 })],
    });
    model.compile({ optimizer: tf.train.adam(0.03), loss: "meanSquaredError" });
    const x = normal([16, 5, 3], 1);
    const y = tf.sum(tf.square(x), -1, true);
    const { history } = await model.fit(x, y, { epochs: 40, verbose: 0 });
    const losses = history["loss"] as number[];
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        const modelArtifactsInfo = { dateSaved: new Date(), modelTopologyType: "JSON" as const };
        return Promise.resolve({ modelArtifactsInfo });
      }),
    );
    const loaded = await loadLayersModel(tf.io.fromMemory(saved!));
    const [before, after] = [model.predict(x), loaded.predict(x)] as [tf.Tensor, tf.Tensor];
    expect(after.arraySync()).toEqual(before.arraySync());
  });
});
