import { readdirSync } from "node:fs";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { loadModel } from "../node.ts";
import { compareCase, passes } from "./index.ts";
import { GoldenCase } from "./golden-case.ts";

const folder = join(import.meta.dirname, "../__fixtures__/parity");
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/**
 * Left out on a GPU in software, to which each small kernel is a millisecond: cases whose kernels run
 * in others as well, as they differ in depth, in how many heads and rows there are, and in their files.
 */
const notOnWebGpu = [
  "b_all_lightning",
  "d_7to1_8layers",
  "h_bf16_weights",
  "i_m1_layout",
  "l_m1_batch3_leftpad",
];

const hasWebGpu = await selectBackend("webgpu").then(
  () => true,
  () => false,
);

describe.each(["wasm", "cpu", ...(hasWebGpu ? ["webgpu"] : [])])(
  "parity with PyTorch on %s",
  (backend) => {
    beforeAll(() => selectBackend(backend));

    it("has six open cases, three of our own, and two each of Ring-linear and TransNormerLLM", () =>
      expect(cases).toHaveLength(13));

    /** On webgpu those that no other stands for. */
    const few = (names: string[], onWebGpu: string[]): string[] =>
      backend === "webgpu" ? onWebGpu : names;

    const computed = few(
      cases,
      cases.filter((name) => !notOnWebGpu.includes(name)),
    );
    it.each(computed)("%s: every golden quantity is within tolerance", async (name) => {
      const comparisons = await compareCase(join(folder, name));
      expect(comparisons.length).toBeGreaterThan(15);
      expect(comparisons.filter((comparison) => !passes(comparison))).toEqual([]);
    });

    const unpadded = [
      "a_mix_lllf",
      "i_m1_layout",
      "j_m1_6heads_top3_prenorm",
      "k_hf_3heads_top1",
      "ring_lflff",
      "transnormer_lrpe_first",
    ];
    it.each(few(unpadded, ["k_hf_3heads_top1", "ring_lflff"]))(
      "%s: token by token equals one prefill",
      async (name) => {
        const { batch } = await GoldenCase.read(join(folder, name));
        const model = await loadModel(join(folder, name));
        const difference = tf.tidy(() => {
          const [whole, single] = [model.createState(1), model.createState(1)];
          const expected = model.advance(whole, batch);
          let found = expected;
          for (const id of batch.ids[0]!) found = model.advance(single, { ids: [[id]] });
          whole.dispose();
          single.dispose();
          return tf.max(tf.abs(tf.sub(found, expected)));
        });
        expect((await difference.data())[0]).toBeLessThan(1e-4);
        tf.dispose(difference);
        model.dispose();
      },
    );

    const padded = [
      "e_batch2_leftpad",
      "l_m1_batch3_leftpad",
      "ring_llf_leftpad",
      "transnormer_6heads_leftpad",
    ];
    it.each(few(padded, ["e_batch2_leftpad", "ring_llf_leftpad"]))(
      "%s: a padded row gives what it gives alone, decoding too",
      async (name) => {
        const directory = join(folder, name);
        const { batch } = await GoldenCase.read(directory);
        const model = await loadModel(directory);
        const decode = (rows: number[][], mask?: number[][]): Promise<number[][]> => {
          const state = model.createState(rows.length);
          let logits = model.advance(state, { ids: rows, mask });
          for (const id of [5, 9, 11]) logits = model.advance(state, { ids: rows.map(() => [id]) });
          state.dispose();
          return logits.array();
        };
        const together = await decode(batch.ids as number[][], batch.mask as number[][]);
        for (const [b, row] of batch.ids.entries()) {
          const alone = (await decode([row.filter((_, t) => batch.mask[b]![t] === 1)]))[0]!;
          alone.forEach((logit, i) => expect(together[b]![i]).toBeCloseTo(logit, 4));
        }
        model.dispose();
      },
    );
  },
);
