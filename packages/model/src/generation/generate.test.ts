import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  generate,
  generateBatch,
  GenerationOptionsError,
  PromptTooLongError,
  Session,
  SessionError,
  LogitsError,
  PrefixCache,
  TokenBatchError,
  type CausalLanguageModel,
  type CausalModelState,
  type GenerationOptions,
  type GenerationResult,
  type NextTokenModel,
  type PrefillProgress,
  type TextTokenizer,
  type TokenEvent,
} from "../index.ts";
import { loadModel } from "../node.ts";
import { collect } from "./testing/collect.ts";
import { marks, printableTokenizer as tokenizer } from "./testing/printable-tokenizer.ts";

const directory = join(import.meta.dirname, "../__fixtures__/parity/i_m1_layout");

let model: CausalLanguageModel;
beforeAll(async () => {
  await selectBackend("wasm");
  model = await loadModel(directory);
});
afterAll(() => model.dispose());

async function run(
  prompt: string,
  options: GenerationOptions,
): Promise<{ events: TokenEvent[]; result: GenerationResult }> {
  return collect(generate(model, tokenizer, prompt, options));
}

describe("generate", () => {
  it("gives the same greedy tokens however the prompt is cut into chunks", async () => {
    const whole = await run("Lightning!", { maxNewTokens: 12 });
    const chunks = await run("Lightning!", { maxNewTokens: 12, prefillChunk: 3 });
    expect(chunks.result.ids).toEqual(whole.result.ids);
    expect(whole.result.finishReason).toBe("length");
    expect(whole.result.usage).toMatchObject({ promptTokens: 10, completionTokens: 12 });
  });

  it("tells how far its prompt is read, and what of it was known", async () => {
    const told: PrefillProgress[] = [];
    const prefixes = new PrefixCache();
    const options = {
      maxNewTokens: 1,
      prefillChunk: 4,
      prefixes,
      onPrefill: (progress: PrefillProgress) => void told.push(progress),
    };
    await run("Lightning!", options);
    const processed = () => told.splice(0).map((progress) => progress.processed);
    expect(told[0]).toEqual({ total: 10, cached: 0, processed: 0 });
    expect(processed()).toEqual([0, 4, 8, 10]);
    await run("Lightning! Thunder!", options);
    expect(told[0]).toEqual({ total: 19, cached: 10, processed: 10 });
    expect(processed()).toEqual([10, 14, 18, 19]);
    await run("Lightning!", options);
    expect(told).toEqual([{ total: 10, cached: 10, processed: 10 }]);
    prefixes.dispose();
  });

  it("repeats itself for a seed and varies between seeds", async () => {
    const options = { maxNewTokens: 16, temperature: 1.5 };
    const first = await run("abc", { ...options, seed: 1 });
    expect((await run("abc", { ...options, seed: 1 })).result.ids).toEqual(first.result.ids);
    const others = await Promise.all(
      [2, 3, 4].map(async (seed) => (await run("abc", { ...options, seed })).result.ids[0]),
    );
    expect(new Set([first.result.ids[0], ...others]).size).toBeGreaterThan(1);
  });

  it("never emits any part of a stop string, and streams exactly the text it returns", async () => {
    const options = { maxNewTokens: 40, temperature: 3, seed: 5 };
    // Without marks of thought all text is answer.
    const plain: TextTokenizer = { ...tokenizer, tokenToId: () => undefined };
    const runPlain = (more: GenerationOptions) => collect(generate(model, plain, "abc", more));
    const free = await runPlain(options);
    const stop = free.result.text.slice(2, 5);
    expect(stop).toHaveLength(3);
    const { events, result } = await runPlain({ ...options, stop: [stop, "never seen"] });
    const cut = free.result.text.slice(0, free.result.text.indexOf(stop));
    expect(result).toMatchObject({ text: cut, finishReason: "stop", stopString: stop });
    expect(events.map((event) => event.text).join("")).toBe(cut);
  });

  it("closes a thought that used its budget up, and goes on with the answer", async () => {
    for (const thinkingBudget of [0, 5]) {
      const { events, result } = await run("abc<think>", { maxNewTokens: 30, thinkingBudget });
      const thought = events.filter((event) => event.part === "thought" && !event.forced);
      expect(thought).toHaveLength(thinkingBudget);
      expect(events[thinkingBudget + 1]).toMatchObject({ id: marks["</think>"], forced: true });
      expect(result.usage.reasoningTokens).toBe(thinkingBudget);
      expect(events.at(-1)).toMatchObject({ part: "answer" });
    }
  });

  it("stops early when it is certain of too many tokens in a row", async () => {
    const { result } = await run("abc", {
      maxNewTokens: 50,
      truncateRepetition: { window: 4, probability: 1e-9 },
    });
    expect(result).toMatchObject({ finishReason: "repetition", ids: { length: 4 } });
  });

  it("reports log-probabilities that sum to one over the vocabulary", async () => {
    const { events } = await run("abc", { maxNewTokens: 1, logprobs: 20 });
    const [event] = events;
    expect(event!.topLogprobs![0]).toEqual({ id: event!.id, logprob: event!.logprob });
    const mass = event!.topLogprobs!.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    expect(mass).toBeLessThanOrEqual(1 + 1e-6);
    expect(mass).toBeGreaterThan(20 / 96);
  });

  it("ends with what it has when aborted, and leaves no tensors however it ends", async () => {
    await run("abc", { maxNewTokens: 2 });
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const stream = generate(model, tokenizer, "abc", {
      maxNewTokens: 50,
      signal: controller.signal,
    });
    await stream.next();
    controller.abort();
    const { result } = await collect(stream);
    expect(result.finishReason).toBe("abort");
    expect(result.ids.length).toBeLessThan(50);
    for await (const _ of generate(model, tokenizer, "abc", { maxNewTokens: 9 })) break;
    expect(tf.memory().numTensors).toBe(before);
  });

  it("gives out text held back for a stop string when the end comes first", async () => {
    const plain: TextTokenizer = { ...tokenizer, tokenToId: () => undefined };
    const free = await collect(generate(model, plain, "abc", { maxNewTokens: 6 }));
    const stop = [`${free.result.text.at(-1)}never`, `${free.result.text.slice(0, 1)}never`];
    const { events, result } = await collect(
      generate(model, plain, "abc", { maxNewTokens: 6, stop }),
    );
    expect(result.text).toBe(free.result.text);
    expect(events.map((event) => event.text).join("")).toBe(free.result.text);

    const controller = new AbortController();
    const stream = generate(model, plain, "abc", { stop, signal: controller.signal });
    expect((await stream.next()).value).toMatchObject({ text: "" });
    controller.abort();
    expect((await collect(stream)).result.text).toBe(free.result.text.slice(0, 1));
  });

  it("gives marks of thought no text, even when the tokenizer does not call them special", async () => {
    const showing: TextTokenizer = {
      ...tokenizer,
      createDecodeStream: () => ({
        push: (id) => (id === 94 ? "<think>" : id === 95 ? "</think>" : ` ${id}`),
        flush: () => "",
      }),
    };
    const options = { maxNewTokens: 20, thinkingBudget: 4 };
    const { events, result } = await collect(generate(model, showing, "abc<think>", options));
    expect(events.some((event) => event.part === "mark")).toBe(true);
    expect(events.map((event) => event.text).join("")).not.toContain("think>");
    expect(result.reasoningText + result.text).not.toContain("think>");
  });

  it("keeps the space an answer begins with, unless a thought came before", async () => {
    const spaced: TextTokenizer = {
      ...tokenizer,
      createDecodeStream: () => ({ push: (id) => (id >= 94 ? "" : ` ${id}`), flush: () => "" }),
    };
    const plain = { ...spaced, tokenToId: () => undefined };
    const without = await collect(generate(model, plain, "abc", { maxNewTokens: 4 }));
    expect(without.result.text).toMatch(/^ \d/);
    const options = { maxNewTokens: 12, thinkingBudget: 2, thoughtClosing: "</think>" };
    const after = await collect(generate(model, spaced, "abc<think>", options));
    expect(after.result.text).toMatch(/^\d/);
  });

  it("refuses logits that are not numbers, and leaves no tensors", async () => {
    const before = tf.memory().numTensors;
    const broken: NextTokenModel = {
      config: model.config,
      createState: (batch) => model.createState(batch),
      deserializeState: (bytes) => model.deserializeState(bytes),
      advance: (state, tokens) =>
        tf.tidy(() => tf.mul(model.advance(state as CausalModelState, tokens), NaN)),
    };
    await expect(collect(generate(broken, tokenizer, "abc"))).rejects.toThrow(LogitsError);
    await expect(generateBatch(broken, tokenizer, [[1, 2]])).rejects.toThrow(LogitsError);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("refuses bad options, empty prompts and prompts beyond the context", async () => {
    await expect(run("abc", { topP: 2 })).rejects.toThrow(GenerationOptionsError);
    await expect(run("abc", { temperature: NaN })).rejects.toThrow(GenerationOptionsError);
    await expect(run("", {})).rejects.toThrow(TokenBatchError);
    await expect(run("x".repeat(4096), {})).rejects.toThrow(PromptTooLongError);
  });
});

describe("a prefix cache", () => {
  const options = { maxNewTokens: 8, prefillChunk: 4 };

  it("spares the beginning of a prompt, and changes no token", async () => {
    const prefixes = new PrefixCache({ maxBytes: 2 ** 24 });
    const first = await run("Once upon a time", { ...options, prefixes });
    expect(first.result.usage).toMatchObject({ promptTokens: 16, cachedTokens: 0 });
    const again = await run("Once upon a time", { ...options, prefixes });
    expect(again.result.usage).toMatchObject({ promptTokens: 16, cachedTokens: 16 });
    expect(again.result.ids).toEqual(first.result.ids);
    const next = await run("Once upon a time, far", { ...options, prefixes });
    expect(next.result.usage).toMatchObject({ promptTokens: 21, cachedTokens: 16 });
    expect(next.result.ids).toEqual((await run("Once upon a time, far", options)).result.ids);
    const other = await run("Once upon", { ...options, prefixes });
    expect(other.result.usage.cachedTokens).toBe(0);
    prefixes.dispose();
  });

  it("forgets what was used least recently when its memory is full, and frees all of it", async () => {
    const before = tf.memory().numTensors;
    const probe = new PrefixCache({ maxBytes: 2 ** 24 });
    await run("abcd", { ...options, prefixes: probe });
    const maxBytes = 2 * probe.byteLength;
    const prefixes = new PrefixCache({ maxBytes });
    probe.dispose();
    const cached = async (prompt: string): Promise<number> =>
      (await run(prompt, { ...options, prefixes })).result.usage.cachedTokens;
    for (const prompt of ["abcd", "efgh", "abcd", "ijkl"]) await cached(prompt);
    expect(await cached("abcd")).toBe(4);
    expect(await cached("efgh")).toBe(0);
    expect(prefixes.byteLength).toBeLessThanOrEqual(maxBytes);
    prefixes.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("generateBatch", () => {
  it("gives each prompt what it gets alone, with a seed of its own", async () => {
    const prompts = ["a much longer prompt", "abc", "x"];
    const options = { maxNewTokens: 8, temperature: 1 };
    const together = await generateBatch(model, tokenizer, prompts, { ...options, seed: 5 });
    for (const [i, prompt] of prompts.entries()) {
      expect(together[i]).toEqual((await run(prompt, { ...options, seed: 5 + i })).result);
    }
  });

  it("tells each token with the number of its prompt", async () => {
    const told: number[][] = [[], []];
    const results = await generateBatch(model, tokenizer, ["abc", "x"], {
      maxNewTokens: 5,
      onToken: ({ id }, prompt) => told[prompt]!.push(id),
    });
    expect(told).toEqual(results.map(({ ids }) => ids));
  });

  it("does not count the length of others as context", async () => {
    const small: NextTokenModel = {
      config: { ...model.config, maxPositionEmbeddings: 24 },
      createState: (batch) => model.createState(batch),
      deserializeState: (bytes) => model.deserializeState(bytes),
      advance: (state, tokens) => model.advance(state as CausalModelState, tokens),
    };
    const prompts = ["a prompt of 20 tokens", "abc"];
    const together = await generateBatch(small, tokenizer, prompts, { maxNewTokens: 30 });
    expect(together.map(({ ids }) => ids.length)).toEqual([24 - 21, 24 - 3]);
  });

  it("ends all when one fails", async () => {
    const before = tf.memory().numTensors;
    const prompts = ["abc", "x".repeat(5000), "def"];
    await expect(generateBatch(model, tokenizer, prompts, { maxNewTokens: 500 })).rejects.toThrow(
      PromptTooLongError,
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("Session", () => {
  it("goes on with its random numbers after an early end, and with others for another seed", async () => {
    const options = { maxNewTokens: 12, temperature: 2 };
    const whole = new Session(model, tokenizer);
    whole.append("abc");
    const all = (await collect(whole.generate({ ...options, seed: 3 }))).result.ids;

    const parted = new Session(model, tokenizer);
    parted.append("abc");
    let taken = 0;
    for await (const _ of parted.generate({ ...options, seed: 3 })) if (++taken === 5) break;
    const fork = parted.fork();
    const rest = await collect(parted.generate({ ...options, maxNewTokens: 7 }));
    expect(rest.result.ids).toEqual(all.slice(5));
    const other = await collect(fork.generate({ ...options, maxNewTokens: 7, seed: 4 }));
    expect(other.result.ids).not.toEqual(all.slice(5));
    for (const session of [whole, parted, fork]) session.dispose();
  });

  it("goes on from saved bytes exactly as it would have gone on", async () => {
    const session = new Session(model, tokenizer);
    session.append("abc");
    await collect(session.generate({ maxNewTokens: 7, temperature: 1, seed: 3 }));
    const restored = Session.restore(model, tokenizer, session.save());
    const forked = session.fork();
    const results = [];
    for (const each of [session, restored, forked]) {
      each.append("!?");
      results.push(await collect(each.generate({ maxNewTokens: 9, temperature: 1 })));
      each.dispose();
    }
    expect(results[1]!.result.ids).toEqual(results[0]!.result.ids);
    expect(results[2]!.result.ids).toEqual(results[0]!.result.ids);
  });

  it("answers a second turn as if the whole text had been the prompt", async () => {
    const session = new Session(model, tokenizer);
    session.append("abc");
    const first = await collect(session.generate({ maxNewTokens: 5 }));
    session.append("def");
    const second = await collect(session.generate({ maxNewTokens: 5 }));
    expect(second.result.usage.promptTokens).toBe(4);
    const all = [...tokenizer.encode("abc"), ...first.result.ids, ...tokenizer.encode("def")];
    const fresh = await collect(generate(model, tokenizer, all, { maxNewTokens: 5 }));
    expect(second.result.ids).toEqual(fresh.result.ids);
    session.dispose();
  });

  it("names what is wrong with broken bytes", () => {
    const session = new Session(model, tokenizer);
    session.append("abc");
    const bytes = session.save();
    session.dispose();
    const restore = (broken: Uint8Array) => () => Session.restore(model, tokenizer, broken);
    expect(restore(bytes.slice(0, 3))).toThrow(SessionError);
    expect(restore(bytes.slice(0, 40))).toThrow(SessionError);
    expect(restore(bytes.slice(0, -4))).toThrow(/model state: expected/);
    expect(restore(bytes.map((byte, i) => (i === 8 ? byte ^ 1 : byte)))).toThrow(SessionError);
  });
});
