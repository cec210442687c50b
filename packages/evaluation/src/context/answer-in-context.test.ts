import "@tensorflow/tfjs-backend-cpu";
import { generate } from "@levin/model";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyModel } from "../__fixtures__/tiny-model.ts";
import { contextAnswerer } from "./answer-in-context.ts";
import type { ContextItem, ContextSuite } from "./context-suite.ts";

const tokenizer = {
  encode: (text: string) => Array.from(text, (letter) => letter.codePointAt(0)! % 63),
  decode: (ids: readonly number[]) => ids.map((id) => String.fromCodePoint(64 + id)).join(""),
  tokenToId: () => undefined,
  createDecodeStream: () => ({
    push: (id: number) => String.fromCodePoint(64 + id),
    flush: () => "",
  }),
};

/** Prompts that part at several places, of which two are the same and one is another's beginning. */
const prompts: Record<string, number[]> = {
  first: [1, 2, 3, 4, 5, 6, 7, 8],
  same: [1, 2, 3, 4, 5, 6, 7, 8],
  beginning: [1, 2, 3, 4, 5, 6],
  late: [1, 2, 3, 4, 5, 6, 7, 20, 21],
  early: [1, 2, 30, 31, 32],
  apart: [40, 41],
};

const items = Object.keys(prompts).map((id, question): ContextItem => ({
  id,
  suite: "tried",
  length: 64,
  context: 0,
  question,
}));
const suite: ContextSuite = {
  ...{ name: "tried", title: "Tried", items, answerTokens: 5 },
  promptOf: ({ id }) => ({
    ...{ turns: [], ids: prompts[id]!, answer: "", chance: 0.5 },
    score: (reply) => reply.length,
  }),
};

describe("answers in a context", () => {
  let model: ReturnType<typeof tinyModel>;
  beforeAll(async () => {
    await tf.setBackend("cpu");
    model = tinyModel();
  });
  afterAll(() => model.dispose());

  it("are those that each prompt gets alone, though what they share is read once", async () => {
    let read = 0;
    const before = tf.memory().numTensors;
    const answerer = contextAnswerer(model, tokenizer, suite, { onRead: (n) => (read += n) });
    const predictions = await answerer.answer(items);
    expect(tf.memory().numTensors).toBe(before);
    expect(predictions.map(({ id }) => id)).toEqual(Object.keys(prompts));
    for (const { id, text, value, promptTokens, stateBytes, chance } of predictions) {
      const alone = generate(model, tokenizer, prompts[id]!, { maxNewTokens: 5 });
      let next = await alone.next();
      while (!next.done) next = await alone.next();
      expect(text).toBe(next.value.text.trimStart());
      expect([value, chance]).toEqual([text.length, 0.5]);
      expect(promptTokens).toBe(prompts[id]!.length);
      expect(stateBytes).toBeGreaterThan(0);
    }
    // 1 to 8 once, then 20, 21, then 30 to 32, then 40, 41.
    expect(read).toBe(8 + 2 + 3 + 2);
  });

  it("leave nothing behind when the model fails", async () => {
    const before = tf.memory().numTensors;
    let calls = 0;
    const failing = {
      config: model.config,
      createState: (batch: number) => model.createState(batch),
      deserializeState: (bytes: Uint8Array) => model.deserializeState(bytes),
      advance: (...args: Parameters<typeof model.advance>) => {
        if (++calls > 4) throw new Error("no power");
        return model.advance(...args);
      },
    };
    const answerer = contextAnswerer(failing, tokenizer, suite);
    await expect(answerer.answer(items)).rejects.toThrow("no power");
    expect(tf.memory().numTensors).toBe(before);
  });
});
