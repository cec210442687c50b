import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../generation/testing/collect.ts";
import { printableTokenizer as tokenizer } from "../generation/testing/printable-tokenizer.ts";
import {
  ContinuousBatch,
  generate,
  PrefixCache,
  Session,
  type CausalLanguageModel,
  type CausalModelState,
  type NextTokenModel,
  type TokenBatch,
} from "../index.ts";
import {
  loadForGeneration,
  loadModel,
  loadStagedModel,
  quantizeCheckpoint,
  StagedModel,
  type StagedState,
} from "../node.ts";
import { compareScaled } from "../parity/comparison.ts";
import { GoldenCase } from "../parity/golden-case.ts";

const fixtures = join(import.meta.dirname, "../__fixtures__/parity");
const fixture = (name: string): string => join(fixtures, name);

beforeAll(() => selectBackend("wasm"));

/** Greedy tokens of each row, and their logits. */
async function greedy(model: NextTokenModel, tokens: TokenBatch, steps: number) {
  const state = model.createState(tokens.ids.length);
  const logits: number[][][] = [];
  const ids: number[][] = tokens.ids.map(() => []);
  let next = tokens;
  for (let step = 0; step < steps; step++) {
    const output = model.advance(state, next);
    const rows = await output.array();
    output.dispose();
    logits.push(rows);
    const chosen = rows.map((row) => row.indexOf(row.reduce((a, b) => Math.max(a, b))));
    chosen.forEach((id, row) => ids[row]!.push(id));
    next = { ids: chosen.map((id) => [id]) };
  }
  state.dispose();
  return { ids: ids.flat(), logits: ids.flatMap((_, row) => logits.flatMap((step) => step[row]!)) };
}

describe("parity of a model in stages with PyTorch", () => {
  it.each([
    ["a_mix_lllf", 3],
    ["e_batch2_leftpad", 3],
    ["j_m1_6heads_top3_prenorm", 3],
    ["l_m1_batch3_leftpad", 2],
  ])("%s in %i stages gives the golden tokens and logits", async (name, stages) => {
    const golden = await GoldenCase.read(fixture(name));
    const expected = golden.tensor("generated_ids");
    const model = await loadStagedModel(fixture(name), { stages });
    const before = tf.memory().numTensors;
    const found = await greedy(model, golden.batch, expected.shape[1]!);
    expect(tf.memory().numTensors).toBe(before);
    expect(found.ids).toEqual([...expected.values]);
    const { error, limit } = compareScaled(
      "generated_logits",
      Float32Array.from(found.logits),
      golden.tensor("generated_logits").values,
    );
    expect(error).toBeLessThanOrEqual(limit);
    await model.dispose();
  });
});

type EitherState = CausalModelState | StagedState;

/** What is done to a state, of the whole model and of the staged one in the same way. */
type Action =
  | { kind: "feed"; length: number; seed: number; padding: number }
  | { kind: "clone" }
  | { kind: "reload" }
  | { kind: "pick"; rows: number[] }
  | { kind: "join"; length: number };

const actions = fc.array<Action>(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("feed" as const),
        length: fc.constantFrom(1, 1, 1, 2, 7, 70),
        seed: fc.nat({ max: 99 }),
        padding: fc.constantFrom(0, 0, 0, 1),
      }),
    },
    fc.record({ kind: fc.constant("clone" as const) }),
    fc.record({ kind: fc.constant("reload" as const) }),
    fc.record({
      kind: fc.constant("pick" as const),
      rows: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant("join" as const), length: fc.integer({ min: 1, max: 5 }) }),
  ),
  { minLength: 1, maxLength: 10 },
);

function idsOf(rows: number, length: number, seed: number): number[][] {
  return Array.from({ length: rows }, (_row, row) =>
    Array.from({ length }, (_id, i) => (seed + 13 * row + 7 * i * i) % 90),
  );
}

/** The state after an action, which uses up the one before; logits where tokens were fed. */
function act<State extends EitherState>(
  model: NextTokenModel<State>,
  state: State,
  action: Action,
): { state: State; logits?: Float32Array } {
  const read = (of: State, tokens: TokenBatch): Float32Array =>
    tf.tidy(() => Float32Array.from(model.advance(of, tokens).dataSync()));
  const replace = (next: State): { state: State } => {
    state.dispose();
    return { state: next };
  };
  switch (action.kind) {
    case "feed": {
      const ids = idsOf(state.batch, action.length, action.seed);
      const padding = Math.min(action.padding, action.length - 1);
      const mask = ids.map((row, b) => row.map((_, t) => Number(b > 0 || t >= padding)));
      return { state, logits: read(state, { ids, mask }) };
    }
    case "clone":
      return replace(state.clone() as State);
    case "reload":
      return replace(model.deserializeState(state.serialize()));
    case "pick":
      return replace(state.regroup(action.rows.map((row) => row % state.batch)) as State);
    case "join": {
      const other = model.createState(1);
      read(other, { ids: idsOf(1, action.length, 3) });
      const joined = state.regroup([0], [other as never]) as State;
      other.dispose();
      return replace(joined);
    }
  }
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(found.length).toBe(expected.length);
  const scale = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = Array.from(expected).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - found[i]!)),
    0,
  );
  expect(worst / scale).toBeLessThan(5e-5);
}

describe("a model in stages", () => {
  const name = "d_7to1_8layers";
  let whole: CausalLanguageModel;
  let staged: StagedModel;
  beforeAll(async () => {
    whole = await loadModel(fixture(name));
    staged = await loadStagedModel(fixture(name), { stages: 3 });
  });
  afterAll(async () => {
    whole.dispose();
    await staged.dispose();
  });

  it("gives and remembers what the whole model does, whatever is done to its states", () => {
    fc.assert(
      fc.property(actions, (list) => {
        let [expected, found] = [whole.createState(2), staged.createState(2)];
        for (const action of list) {
          const [a, b] = [act(whole, expected, action), act(staged, found, action)];
          [expected, found] = [a.state, b.state];
          if (a.logits) expectClose(b.logits!, a.logits);
          expect(found.positions).toEqual(expected.positions);
          expect(found.batch).toBe(expected.batch);
          expect(found.length).toBe(expected.length);
          expect(found.byteLength).toBe(expected.byteLength);
        }
        for (const state of [expected, found]) state.dispose();
      }),
      { numRuns: 25 },
    );
  });

  it("reads states that the whole model wrote, and writes those that it reads", () => {
    const [from, to] = [whole.createState(1), staged.createState(1)];
    const feed = (ids: number[][]) => [
      tf.tidy(() => Array.from(whole.advance(from, { ids }).dataSync())),
      tf.tidy(() => Array.from(staged.advance(to, { ids }).dataSync())),
    ];
    feed([[1, 2, 3, 4]]);
    const there = staged.deserializeState(from.serialize());
    const back = whole.deserializeState(to.serialize());
    const [expected] = feed([[5]]);
    expectClose(
      tf.tidy(() => staged.advance(there, { ids: [[5]] }).dataSync()),
      expected!,
    );
    expectClose(
      tf.tidy(() => whole.advance(back, { ids: [[5]] }).dataSync()),
      expected!,
    );
    for (const state of [from, to, there, back]) state.dispose();
  });

  it("generates alone, in a continuous batch, from a prefix cache and in sessions", async () => {
    const options = { maxNewTokens: 12, temperature: 1, seed: 5 };
    const prompts = ["stages", "a longer prompt than that", "x"];
    const expected = await Promise.all(
      prompts.map(
        async (prompt) => (await collect(generate(whole, tokenizer, prompt, options))).result.ids,
      ),
    );
    const batch = new ContinuousBatch(staged, tokenizer, { maxRows: 3 });
    const prefixes = new PrefixCache({ maxBytes: 2 ** 24 });
    for (let round = 0; round < 2; round++) {
      const results = await Promise.all(
        prompts.map((prompt) => collect(batch.add(prompt, { ...options, prefixes }))),
      );
      expect(results.map(({ result }) => result.ids)).toEqual(expected);
    }
    prefixes.dispose();
    const session = new Session(staged, tokenizer);
    session.append(prompts[0]!);
    const restored = Session.restore(staged, tokenizer, session.save());
    expect((await collect(restored.generate(options))).result.ids).toEqual(expected[0]);
    session.dispose();
    restored.dispose();
  });

  it("computes with quantised weights as they are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "levin-stages-"));
    try {
      await quantizeCheckpoint(fixture(name), folder, { bits: 8 });
      const [expected, found] = [
        await loadModel(folder),
        await loadStagedModel(folder, { stages: 2 }),
      ];
      expect([...expected.parameters.values()].some(({ dtype }) => dtype === "int32")).toBe(true);
      const tokens = { ids: [[1, 2, 3, 4, 5]] };
      const [a, b] = [await greedy(expected, tokens, 8), await greedy(found, tokens, 8)];
      expectClose(b.logits, a.logits);
      expected.dispose();
      await found.dispose();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("is what loadForGeneration loads when it is asked to, and a whole model otherwise", async () => {
    const asked = await loadForGeneration(fixture(name), { stages: 2 });
    expect(asked).toBeInstanceOf(StagedModel);
    expect((asked as StagedModel).stages).toBe(2);
    for (const stages of [undefined, 1]) {
      const model = await loadForGeneration(fixture(name), { stages });
      expect(model).not.toBeInstanceOf(StagedModel);
      await model.dispose();
    }
    await asked.dispose();
  });
});
