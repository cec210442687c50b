import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import type { CausalLanguageModel } from "@levin/model";
import { accumulateGradients, createLora, mergeLora } from "@levin/training";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeLetters, tinyModel } from "../__fixtures__/tiny-model.ts";
import type { Item } from "../data/item.ts";
import type { AnswerKind } from "../suites/benchmark-task.ts";
import { glue } from "../suites/glue.ts";
import { superglue } from "../suites/superglue.ts";
import { headAnswerer, headExamples } from "./answer-by-head.ts";
import { AnswerHead } from "./answer-head.ts";
import { fineTuneHead, headBatches } from "./fine-tune-head.ts";
import { loadHead, saveHead } from "./head-files.ts";
import { headObjective, type HeadExample } from "./head-objective.ts";

const classes: AnswerKind = { type: "class", names: ["0", "1", "2"] };
const score: AnswerKind = { type: "score", lowest: 0, highest: 5 };
const choice: AnswerKind = { type: "choice", told: "number" };
const reading = { encode: encodeLetters, maxTokens: 40 };

/** A head whose numbers are not zero. */
function movedHead(model: CausalLanguageModel, kind: AnswerKind): AnswerHead {
  const head = AnswerHead.create(model.config.hiddenSize, kind, "mean");
  for (const [i, variable] of [...head.parameters.values()].entries()) {
    variable.assign(tf.randomNormal(variable.shape, 0, 0.5, "float32", i + 1));
  }
  return head;
}

describe.each(["cpu", "wasm"])("an answer head on %s", (backend) => {
  let model: CausalLanguageModel;
  beforeAll(() => selectBackend(backend));
  beforeEach(() => (model = tinyModel()));
  afterEach(() => model.dispose());

  const texts = [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10]];
  const single: HeadExample[] = texts.map((ids, i) => ({ texts: [ids], label: i % 3 }));

  it("reads mean and last states as if each text stood alone", () => {
    for (const pooling of ["mean", "last"] as const) {
      const head = new AnswerHead({ pooling, parameters: movedHead(model, classes).parameters });
      const together = head.outputs(model, texts).arraySync();
      texts.forEach((ids, i) => {
        const alone = head.outputs(model, [ids]).arraySync()[0]!;
        alone.forEach((value, j) => expect(together[i]![j]!).toBeCloseTo(value, 4));
      });
    }
  });

  it("has the losses of plain formulas", () => {
    const loss = (kind: AnswerKind, examples: HeadExample[], head: AnswerHead): number =>
      tf.tidy(
        () =>
          headObjective(
            head,
            kind,
          )(model)
            .losses({ examples, targets: examples.length })
            .total.dataSync()[0]!,
      );
    const entropy = (outputs: number[], label: number): number =>
      Math.log(outputs.reduce((sum, each) => sum + Math.exp(each), 0)) - outputs[label]!;
    const byClass = movedHead(model, classes);
    const rows = byClass.outputs(model, texts).arraySync();
    const expected = rows.reduce((sum, row, i) => sum + entropy(row, i % 3) / 4, 0);
    expect(loss(classes, single, byClass)).toBeCloseTo(expected, 4);

    const one = movedHead(model, score);
    const values = one.outputs(model, texts).arraySync().flat();
    const scores = single.map((example, i) => ({ ...example, label: i }));
    const errors = values.map((value, i) => (value - i / 5) ** 2 / 4);
    expect(loss(score, scores, one)).toBeCloseTo(
      errors.reduce((sum, each) => sum + each, 0),
      4,
    );
    // Two items, one of three choices and one of a single choice.
    const items = [
      { texts: texts.slice(0, 3), label: 2 },
      { texts: texts.slice(3), label: 0 },
    ];
    expect(loss(choice, items, one)).toBeCloseTo(entropy(values.slice(0, 3), 2) / 2, 4);
  });

  it.each([
    ["classes", classes, single],
    ["scores", score, single],
    ["choices", choice, [{ texts, label: 1 }]],
  ] as const)("has the gradient of finite differences for %s", async (_, kind, examples) => {
    const head = movedHead(model, kind);
    const trainable = headObjective(head, kind)(model);
    const batch = { examples, targets: examples.length };
    const { gradients } = await accumulateGradients(trainable, [batch]);
    const loss = (): number => tf.tidy(() => trainable.losses(batch).total.dataSync()[0]!);
    for (const name of ["head.weight", "head.bias", "model.norm.weight"]) {
      const variable = trainable.parameters.get(name)!;
      const direction = tf.randomNormal(variable.shape, 0, 1, "float32", 7);
      const slope = tf.sum(tf.mul(direction, gradients.get(name)!)).dataSync()[0]!;
      const start = variable.clone();
      const [above, below] = [1e-2, -1e-2].map((by) => {
        variable.assign(tf.add(start, tf.mul(direction, by)));
        return loss();
      }) as [number, number];
      variable.assign(start);
      expect((above - below) / 2e-2).toBeCloseTo(slope, 2);
    }
  });
});

describe("fine-tuning a head", () => {
  beforeAll(() => selectBackend("wasm"));

  const items: Item[] = Array.from({ length: 24 }, (_, i) => ({
    ...{ id: String(i), label: i % 2 },
    fields: { sentence: (i % 2 ? "abab" : "xyxy").slice(0, 2 + (i % 3)), first: "q", second: "r" },
  }));

  it("learns classes with the whole model, and the same for the same seed", async () => {
    const cola = glue.tasks[0]!;
    const answers = [];
    for (let run = 0; run < 2; run++) {
      const model = tinyModel();
      const head = AnswerHead.create(16, cola.kind, "mean");
      const losses: number[] = [];
      await fineTuneHead(model, head, headExamples(cola, items, reading), {
        ...{ kind: cola.kind, steps: 15, examplesPerStep: 8, peak: 0.02 },
        onStep: ({ loss }) => losses.push(loss),
      });
      expect(losses[0]).toBeCloseTo(Math.log(2), 5);
      expect(losses.at(-1)!).toBeLessThan(0.2);
      answers.push(await headAnswerer(model, head, cola, reading).answer(items));
      head.dispose();
      model.dispose();
    }
    expect(answers[0]!.map(({ value }) => value)).toEqual(items.map(({ label }) => label));
    expect(answers[1]).toEqual(answers[0]);
  });

  it("learns choices with an adapter alone, and leaves the model as it was", async () => {
    const copa = superglue.tasks.find(({ name }) => name === "copa")!;
    const questions: Item[] = items.map(({ id, label }) => ({
      ...{ id, label: label!, fields: { premise: "p", connective: "so" } },
      choices: label ? ["xx", "ab"] : ["ab", "xx"],
    }));
    const model = tinyModel();
    const before = [...model.parameters.values()].map((each) => each.dataSync().slice());
    const head = AnswerHead.create(16, copa.kind, "last");
    const adapter = createLora(model, { rank: 2 });
    await fineTuneHead(model, head, headExamples(copa, questions, reading), {
      ...{ kind: copa.kind, steps: 25, examplesPerStep: 8, peak: 0.03, adapter },
    });
    expect([...model.parameters.values()].map((each) => each.dataSync())).toEqual(before);
    const merged = mergeLora(model, adapter);
    const found = await headAnswerer(merged, head, copa, reading).answer(questions);
    expect(found.map(({ value }) => value)).toEqual(questions.map(({ label }) => label));
    for (const part of [merged, adapter, head, model]) part.dispose();
  });

  it("gives scores within their bounds", async () => {
    const stsb = glue.tasks.find(({ name }) => name === "stsb")!;
    const model = tinyModel();
    const head = AnswerHead.create(16, stsb.kind, "mean");
    for (const [bias, value] of [
      [0.4, 2],
      [7, 5],
      [-1, 0],
    ]) {
      head.parameters.get("head.bias")!.assign(tf.tensor1d([bias!]));
      const [found] = await headAnswerer(model, head, stsb, reading).answer([items[0]!]);
      expect(found!.value).toBeCloseTo(value!, 5);
    }
    head.dispose();
    model.dispose();
  });

  it("puts texts of like length together, each item once", () => {
    const examples = [9, 1, 5, 5, 2].map((length, label) => ({
      ...{ label, texts: [Array<number>(length).fill(1)] },
    }));
    const batches = headBatches(examples, 10);
    expect(batches.map((batch) => batch.examples.map(({ label }) => label))).toEqual([
      [0],
      [2, 3],
      [4, 1],
    ]);
    expect(batches.map(({ targets }) => targets)).toEqual([1, 2, 2]);
  });

  it("comes back from a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "levin-head-"));
    const model = tinyModel();
    const head = movedHead(model, classes);
    await saveHead(folder, head);
    const again = await loadHead(folder, "mean");
    expect(again.outputs(model, [[1, 2]]).arraySync()).toEqual(
      head.outputs(model, [[1, 2]]).arraySync(),
    );
    await rm(folder, { recursive: true });
  });
});
