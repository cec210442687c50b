import { expect, it } from "vitest";
import { ggufVocabulary } from "./gguf-vocabulary.ts";
import { tokenizerFileFromMerges, trainTokenizer } from "./index.ts";

const specialTokens = ["<end_of_sentence>", "<think>", "</think>"];
const file = trainTokenizer(["lower lowest", "newer newest"], { vocabSize: 262, specialTokens });

it("has a token for each id of the model, with its kind", () => {
  const vocabulary = ggufVocabulary(file, { vocabSize: 264, chatTemplate: "{{ messages }}" });
  const tokens = vocabulary["tokenizer.ggml.tokens"] as string[];
  const types = vocabulary["tokenizer.ggml.token_type"] as Int32Array;
  expect(tokens).toHaveLength(264);
  expect(tokens.slice(256)).toEqual([
    ...file.model.merges.map((pair) => pair.join("")),
    ...specialTokens,
    "[UNUSED_262]",
    "[UNUSED_263]",
  ]);
  expect([...types.slice(255)]).toEqual([1, 1, 1, 1, 3, 4, 4, 5, 5]);
  expect(vocabulary).toMatchObject({
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "smollm",
    "tokenizer.ggml.merges": file.model.merges.map((pair) => pair.join(" ")),
    "tokenizer.ggml.add_bos_token": false,
    "tokenizer.chat_template": "{{ messages }}",
  });
});

it("knows GPT-2's pattern by both ways to write it", () => {
  const gpt2 = tokenizerFileFromMerges("l o\nlo w", []);
  const byteLevel = { ...gpt2, pre_tokenizer: { type: "ByteLevel", add_prefix_space: false } };
  for (const json of [gpt2, byteLevel]) {
    const vocabulary = ggufVocabulary(json, { vocabSize: 258 });
    expect(vocabulary["tokenizer.ggml.pre"]).toBe("gpt-2");
    expect(vocabulary).not.toHaveProperty("tokenizer.chat_template");
  }
});

it.each([
  [{ pre_tokenizer: { type: "Whitespace" } }, 264, /expected a pre_tokenizer.*"Whitespace"/],
  [{ pre_tokenizer: null }, 264, /expected a pre_tokenizer/],
  [{}, 261, /expected ids below 261, found 261 of "<\/think>"/],
])("refuses %j with %i tokens", (change, vocabSize, message) => {
  expect(() => ggufVocabulary({ ...file, ...change }, { vocabSize })).toThrow(message);
});
