import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { policyLoss, type Clipping } from "./policy-loss.ts";

beforeAll(() => selectBackend("cpu"));

interface Token {
  now: number;
  old: number;
  advantage: number;
}

const cispo: Clipping = { algorithm: "cispo", low: Infinity, high: 0.5 };
const grpo: Clipping = { algorithm: "grpo", low: 0.2, high: 0.3 };

// Weights at the very bound have no derivative.
const tokens = fc.array(
  fc
    .record({
      now: fc.double({ min: -4, max: -0.01, noNaN: true }),
      old: fc.double({ min: -4, max: -0.01, noNaN: true }),
      advantage: fc.double({ min: -2, max: 2, noNaN: true }),
    })
    .filter(({ now, old }) =>
      [0.8, 1.3, 1.5].every((bound) => Math.abs(Math.exp(now - old) - bound) > 0.01),
    ),
  { minLength: 1, maxLength: 8 },
);

function run(drawn: readonly Token[], clipping: Clipping) {
  const column = (name: keyof Token): tf.Tensor1D => tf.tensor1d(drawn.map((each) => each[name]));
  const loss = (logProbabilities: tf.Tensor): tf.Tensor1D =>
    policyLoss(
      {
        logProbabilities: logProbabilities as tf.Tensor1D,
        oldLogProbabilities: column("old"),
        advantages: column("advantage"),
      },
      clipping,
    );
  return {
    values: [...loss(column("now")).dataSync()],
    gradient: [
      ...tf
        .grad((x) => tf.sum(loss(x)))(column("now"))
        .dataSync(),
    ],
  };
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4));
  expect(found).toHaveLength(expected.length);
}

/** Equation 7 of the paper: 0 for tokens that PPO's clipping drops. */
function trustRegionMask({ now, old, advantage }: Token, { low, high }: Clipping): number {
  const weight = Math.exp(now - old);
  if (advantage > 0 && weight > 1 + high) return 0;
  return advantage < 0 && weight < 1 - low ? 0 : 1;
}

describe("policyLoss", () => {
  it("is −clip(r) · A · log π of the paper's equation 4", () => {
    fc.assert(
      fc.property(tokens, (drawn) => {
        const expected = drawn.map(
          ({ now, old, advantage }) => -Math.min(Math.exp(now - old), 1.5) * advantage * now,
        );
        expectClose(run(drawn, cispo).values, expected);
      }),
    );
  });

  it("keeps the gradient of every token, with its clipped weight as a constant", () => {
    fc.assert(
      fc.property(tokens, (drawn) => {
        const weights = drawn.map(({ now, old }) => Math.min(Math.exp(now - old), 1.5));
        expectClose(
          run(drawn, cispo).gradient,
          drawn.map(({ advantage }, i) => -weights[i]! * advantage),
        );
        const step = 1e-3;
        const differences = drawn.map(({ now, advantage }, i) => {
          const at = (x: number): number => -weights[i]! * advantage * x;
          return (at(now + step) - at(now - step)) / (2 * step);
        });
        expectClose(run(drawn, cispo).gradient, differences);
      }),
    );
  });

  it("is PPO's clipped objective for GRPO, with its gradient", () => {
    fc.assert(
      fc.property(tokens, (drawn) => {
        const objective = ({ old, advantage }: Token, now: number): number => {
          const weight = Math.exp(now - old);
          const clipped = Math.min(Math.max(weight, 0.8), 1.3);
          return -Math.min(weight * advantage, clipped * advantage);
        };
        const { values, gradient } = run(drawn, grpo);
        expectClose(
          values,
          drawn.map((token) => objective(token, token.now)),
        );
        const step = 1e-6;
        gradient.forEach((found, i) => {
          const token = drawn[i]!;
          const difference =
            (objective(token, token.now + step) - objective(token, token.now - step)) / (2 * step);
          expect(Math.abs(found - difference)).toBeLessThan(1e-3 * (1 + Math.abs(difference)));
        });
      }),
    );
  });

  it("differs from GRPO's gradient exactly by the mask of equation 7, where no weight is clipped", () => {
    fc.assert(
      fc.property(tokens, (drawn) => {
        const free = run(drawn, { algorithm: "cispo", low: Infinity, high: Infinity }).gradient;
        expectClose(
          run(drawn, grpo).gradient,
          free.map((value, i) => value * trustRegionMask(drawn[i]!, grpo)),
        );
      }),
    );
  });

  it("teaches a rare token that GRPO drops", () => {
    const rare: Token[] = [{ now: Math.log(0.02), old: Math.log(0.01), advantage: 1 }];
    expect(run(rare, grpo).gradient).toEqual([0]);
    expect(run(rare, cispo).gradient[0]).toBeCloseTo(-1.5, 5);
  });
});
