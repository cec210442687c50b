import { selectBackend } from "@levin/kernels/node";
import * as tf from "@tensorflow/tfjs-core";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { byteTokenizer as tokenizer } from "../generation/testing/byte-tokenizer.ts";
import { collect } from "../generation/testing/collect.ts";
import {
  ConstraintError,
  checkConstraint,
  generate,
  GenerationOptionsError,
  type Constraint,
  type GenerationOptions,
  type ModelState,
  type NextTokenModel,
} from "../index.ts";
import { ByteAutomaton, type AutomatonState } from "./byte-automaton.ts";
import {
  anyCharacter,
  characters,
  text as exactly,
  without,
  type Expression,
} from "./expression.ts";
import { jsonSchemaExpression } from "./json-schema.ts";
import { decimalsWithin, integersWithin } from "./number-ranges.ts";
import { compileExpression } from "./program.ts";
import { stringFormats } from "./string-formats.ts";
import { triggered } from "./triggered.ts";

beforeAll(() => selectBackend("cpu"));

/** A model that says anything, but likes to come to an end. */
function babbler(seed: number): NextTokenModel {
  let step = seed * 1000;
  const state = {
    length: 0,
    batch: 1,
    byteLength: 0,
    clone: () => state,
    regroup: () => state,
    serialize: () => new Uint8Array(),
    dispose: () => {},
  } satisfies ModelState as ModelState;
  const likes = new Set(
    [...'"}]'.split(""), "</think>", "<end>"].flatMap((t) => tokenizer.encode(t)),
  );
  return {
    config: {
      vocabSize: tokenizer.vocabSize + 5,
      maxPositionEmbeddings: 100_000,
      eosTokenId: [tokenizer.endToken],
    },
    createState: () => state,
    deserializeState: () => state,
    advance() {
      step += 1;
      const noise = (id: number) => {
        const x = Math.sin(id * 12.9898 + step * 78.233) * 43758.5453;
        return 6 * (x - Math.floor(x)) + (likes.has(id) ? 3 : 0);
      };
      return tf.tensor2d([Array.from({ length: tokenizer.vocabSize + 5 }, (_, id) => noise(id))]);
    },
  };
}

async function answer(constraint: Constraint, seed: number, options: GenerationOptions = {}) {
  const stream = generate(babbler(seed), tokenizer, "Say something. ", {
    temperature: 1,
    seed,
    maxNewTokens: 2000,
    constraint,
    ...options,
  });
  return (await collect(stream)).result;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });

const bound = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
const limits = fc
  .tuple(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: 2, max: 30_000 }))
  .chain(([low, width]) =>
    fc.record(
      {
        minimum: fc.constant(low),
        exclusiveMinimum: fc.constant(low - 1),
        maximum: fc.constant(low + width),
        exclusiveMaximum: fc.constant(low + width + 1),
      },
      { requiredKeys: [] },
    ),
  );
const scalar = fc.oneof(
  fc.constant({ type: "boolean" }),
  fc.constant({ type: "null" }),
  fc.constant({ type: ["string", "null"], maxLength: 6 }),
  limits.map((some) => ({ type: "integer", ...some })),
  limits.map((some) => ({ type: "number", ...some })),
  fc.tuple(bound, fc.integer({ min: 4, max: 9 })).map(([minLength, maxLength]) => ({
    type: "string",
    ...(minLength !== undefined && { minLength }),
    maxLength,
  })),
  fc
    .constantFrom("^[a-z]{2,4}-\\d+$", "é[^a-z]?$", '^(?:x|"\\\\|\\u{1F642})+$', "^\\w\\s[^\\S]$")
    .map((pattern) => ({ type: "string", pattern })),
  fc
    .array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 3 })
    .map((all) => ({ enum: all })),
  fc.jsonValue({ maxDepth: 2 }).map((value) => ({ const: value })),
  fc.constantFrom(true, {}, { $ref: "#/$defs/tree" }),
);
const anySchema = fc
  .letrec((tie) => ({
    any: fc.oneof({ maxDepth: 3 }, scalar, tie("object"), tie("array"), tie("union"), tie("tuple")),
    object: fc
      .tuple(
        fc.dictionary(fc.string({ maxLength: 4 }), tie("any"), { maxKeys: 4 }),
        fc.infiniteStream(fc.boolean()),
        fc.constantFrom(true, false, undefined),
      )
      .map(([properties, keep, additionalProperties]) => ({
        type: "object",
        properties,
        required: Object.keys(properties).filter(() => keep.next().value),
        ...(additionalProperties !== undefined && { additionalProperties }),
      })),
    array: fc.tuple(tie("any"), bound, bound).map(([items, minItems, more]) => ({
      type: "array",
      items,
      ...(minItems !== undefined && { minItems }),
      ...(more !== undefined && { maxItems: (minItems ?? 0) + more }),
    })),
    tuple: fc
      .tuple(fc.array(tie("any"), { minLength: 1, maxLength: 3 }), bound)
      .map(([prefixItems, maxItems]) => ({
        type: "array",
        prefixItems,
        ...(maxItems !== undefined && { maxItems }),
      })),
    union: fc.array(tie("any"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
  }))
  .any.map((root) => ({
    $defs: {
      tree: {
        anyOf: [
          { type: "boolean" },
          { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 },
        ],
      },
    },
    ...(typeof root === "object" ? (root as object) : { anyOf: [root] }),
  }));

describe("a constrained answer", () => {
  it("parses and validates whatever the model says", async () => {
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(anySchema, fc.nat(1000), async (schema, seed) => {
        const { text, finishReason } = await answer({ type: "json_schema", schema }, seed);
        if (finishReason === "length") return;
        whole += 1;
        const validate = ajv.compile(schema);
        expect([validate(JSON.parse(text)), text, validate.errors]).toEqual([true, text, null]);
      }),
      { numRuns: 60 },
    );
    expect(whole).toBeGreaterThan(20);
  });

  it("is a JSON object for json_object, with a thought before it or not", async () => {
    const thoughts = new Set<boolean>();
    for (let seed = 0; seed < 20; seed++) {
      const result = await answer({ type: "json_object" }, seed);
      if (result.finishReason !== "stop") continue;
      expect(JSON.parse(result.text)).toBeTypeOf("object");
      thoughts.add(result.reasoningText !== "");
    }
    expect(thoughts.size).toBe(2);
  });

  it("comes after a thought that is free, closed at its budget, and never instead of the answer", async () => {
    const constraint: Constraint = { type: "text", text: "42" };
    let thought = "";
    for (let seed = 0; seed < 30; seed++) {
      const { text, reasoningText, usage } = await answer(constraint, seed, { thinkingBudget: 5 });
      expect(text.trim()).toBe("42");
      expect(usage.reasoningTokens).toBeLessThanOrEqual(5);
      thought += reasoningText;
    }
    expect(thought).toMatch(/[^\d\s]/);
  });

  it("is cut by the token limit, in the middle of what it would be", async () => {
    const schema = { type: "string", minLength: 50 };
    const { text, finishReason } = await answer({ type: "json_schema", schema }, 1, {
      maxNewTokens: 9,
      thinkingBudget: 0,
    });
    expect(finishReason).toBe("length");
    expect(text.trimStart()).toMatch(/^"/);
  });

  it("is put together from parts", async () => {
    const constraint: Constraint = {
      type: "sequence",
      parts: [
        { type: "text", text: "<é>" },
        {
          type: "repeat",
          of: {
            type: "choice",
            options: [
              { type: "text", text: "🙂" },
              { type: "text", text: "12" },
            ],
          },
          min: 2,
          max: 3,
        },
        { type: "pattern", pattern: "[x-z]|end" },
      ],
    };
    const texts = new Set<string>();
    for (let seed = 0; seed < 12; seed++) texts.add((await answer(constraint, seed)).text.trim());
    for (const text of texts) expect(text).toMatch(/^<é>(🙂|12){2,3}([x-z]|end)$/u);
    expect(texts.size).toBeGreaterThan(4);
  });

  it("is free until its trigger comes up", () => {
    const accepts = acceptor(triggered("<call>", exactly("x")));
    for (const whole of ["", "any <text> é", "<cal", "<<call>x", "a <c <call>x", "<ca<call>x"]) {
      expect([whole, accepts(whole)]).toEqual([whole, true]);
    }
    for (const broken of ["<call>", "<call>y", "a<call>xx", "<call>x<call>x"]) {
      expect([broken, accepts(broken)]).toEqual([broken, false]);
    }
  });

  it("has an added token where it names one as a mark, and nowhere else", async () => {
    const call = tokenizer.vocabSize;
    const bytes = new TextEncoder().encode("<call>");
    const withCall = {
      ...tokenizer,
      vocabSize: call + 1,
      specialTokens: new Map([...tokenizer.specialTokens, ["<call>", call]]),
      tokenBytes: (id: number) => (id === call ? bytes : tokenizer.tokenBytes(id)),
    };
    const said = async (constraint: Constraint, bias: number) => {
      const options = { temperature: 1, seed: 1, maxNewTokens: 60, constraint };
      const logitBias = { [call]: bias };
      const stream = generate(babbler(1), withCall, "Say. ", { ...options, logitBias });
      const { ids, text } = (await collect(stream)).result;
      return { text: text.trim(), marks: ids.filter((id) => id === call).length };
    };
    const parts: Constraint[] = [
      { type: "mark", text: "<call>" },
      { type: "pattern", pattern: "[x-z]{3}" },
    ];
    const marked: Constraint = { type: "sequence", parts };
    expect(await said(marked, 50)).toMatchObject({
      marks: 1,
      text: expect.stringMatching(/^<call>[x-z]{3}$/) as string,
    });
    // Who does not know the token may spell it out.
    expect(await said(marked, -100)).toMatchObject({
      marks: 0,
      text: expect.stringMatching(/^<call>[x-z]{3}$/) as string,
    });
    const free: Constraint = { type: "triggered", trigger: "<call>", follows: parts[1]! };
    expect(await said(free, 50)).toMatchObject({
      marks: 1,
      text: expect.stringMatching(/^<call>[x-z]{3}$/) as string,
    });
    const longText: Constraint = { type: "pattern", pattern: ".{40,}" };
    expect((await said(longText, 50)).marks).toBe(0);
  });

  it("chooses one of several objects, and names of properties", async () => {
    const option = (kind: string, value: object) => ({
      type: "object",
      properties: { kind: { const: kind }, value },
      required: ["kind", "value"],
    });
    const options = [option("a", { type: "boolean" }), { $ref: "#/$defs/b" }, { type: "null" }];
    const schema = {
      $defs: { b: option("b", { type: "integer" }) },
      type: "object",
      properties: {
        one: { oneOf: options.slice(0, 2) },
        other: { oneOf: [options[1], options[2]] },
        map: {
          type: "object",
          propertyNames: { pattern: "^k[0-9]$" },
          additionalProperties: { type: "null" },
        },
      },
      required: ["one", "other", "map"],
    };
    const validate = ajv.compile(schema);
    const kinds = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { text } = await answer({ type: "json_schema", schema }, seed);
      const value = JSON.parse(text) as { one: { kind: string }; map: object };
      expect([text, validate(value)]).toEqual([text, true]);
      kinds.add(value.one.kind);
    }
    expect(kinds).toEqual(new Set(["a", "b"]));
  });

  it("keeps to formats", async () => {
    const checked = new Ajv2020();
    ajvFormats.default(checked);
    for (const format of Object.keys(stringFormats)) {
      const schema = { type: "string", format };
      for (let seed = 0; seed < 5; seed++) {
        const { text } = await answer({ type: "json_schema", schema }, seed);
        expect([format, text, checked.validate(schema, JSON.parse(text))]).toEqual([
          format,
          text,
          true,
        ]);
      }
    }
  });

  it("allows every text that satisfies the schema and has its form", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string", maxLength: 4 },
        size: { type: "number", exclusiveMinimum: 0, maximum: 100 },
        tags: { type: "array", items: { enum: ["a", 1, null] } },
      },
      required: ["name"],
    };
    const accepts = acceptor(jsonSchemaExpression(schema));
    for (const text of [
      '{"name": "é🙂\\n\\u00e4"}',
      '{ "name" : "\\ud83d\\ude42abc" , "size" : 0.25 , "tags" : [ ] }',
      '{"name":"","size":100,"tags":["a",1,null]}',
      '{\n  "name": "x",\n  "tags": [\n    "a"\n  ]\n}',
    ]) {
      expect([text, accepts(text)]).toEqual([text, true]);
    }
    for (const text of [
      '{"name": "abcde"}',
      '{"size": 1, "name": ""}',
      '{"name": "", "size": 0}',
      '{"name": "", "size": 100.5}',
      '{"name": "\\ud83d"}',
      '{"name": ""',
      '{"name": "",}',
      '{"name": "", "other": 1}',
    ]) {
      expect([text, accepts(text)]).toEqual([text, false]);
    }
  });
});

describe("numbers within limits", () => {
  it("are those between the limits, and no others", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1200, max: 1200 }),
        fc.integer({ min: 1, max: 1500 }),
        (low, width) => {
          const high = low + width;
          const whole = acceptor(integersWithin({ minimum: low, maximum: high }));
          const open = acceptor(decimalsWithin({ exclusiveMinimum: low, exclusiveMaximum: high }));
          const closed = acceptor(decimalsWithin({ minimum: low, maximum: high }));
          for (let value = low - 12; value <= high + 12; value += 1 + (width >> 6)) {
            expect([value, whole(`${value}`)]).toEqual([value, low <= value && value <= high]);
            for (const decimal of [value, value + 0.25, value - 0.5]) {
              const isInside = low <= decimal && decimal <= high;
              expect([decimal, closed(`${decimal}`)]).toEqual([decimal, isInside]);
              const isBorder = decimal === low || decimal === high;
              expect([decimal, open(`${decimal}`)]).toEqual([decimal, isInside && !isBorder]);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("UTF-8 of a range of characters", () => {
  it("matches those characters and no others", () => {
    const point = fc.integer({ min: 0, max: 0x10ffff }).filter((p) => p < 0xd800 || p > 0xdfff);
    const border = fc.constantFrom(
      0,
      0x7f,
      0x80,
      0x7ff,
      0x800,
      0xd7ff,
      0xe000,
      0xffff,
      0x10000,
      0x10ffff,
    );
    const any = fc.oneof(point, border);
    fc.assert(
      fc.property(any, any, fc.array(any), (a, b, others) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const accepts = acceptor(
          characters(
            ...without(anyCharacter, [
              [0, first - 1],
              [last + 1, 0x10ffff],
            ]),
          ),
        );
        for (const other of [first, last, first - 1, last + 1, ...others]) {
          if (other < 0 || other > 0x10ffff || (other >= 0xd800 && other <= 0xdfff)) continue;
          expect(accepts(String.fromCodePoint(other))).toBe(first <= other && other <= last);
        }
      }),
    );
  });
});

describe("a constraint that cannot be kept", () => {
  it.each([
    [
      { type: "object", properties: { a: { minProperties: 1 } } },
      /properties\.a\.minProperties: is not supported/,
    ],
    [{ type: "array", items: { uniqueItems: true } }, /items\.uniqueItems: cannot be kept/],
    [{ type: "number", multipleOf: 3 }, /multipleOf: is not supported/],
    [
      { oneOf: [{ type: "integer" }, { type: "number" }] },
      /oneOf: expected options of different types/,
    ],
    [
      { oneOf: [{ type: "object", properties: { a: { const: 1 } } }, { type: "object" }] },
      /oneOf: /,
    ],
    [{ properties: { a: {} }, propertyNames: { enum: ["b"] } }, /propertyNames: /],
    [{ type: "text" }, /type: /],
    [{ type: "string", pattern: "(?=a)b" }, /pattern: "\(\?=a\)" is not supported/],
    [{ type: "string", pattern: "(a" }, /pattern: /],
    [{ type: "string", pattern: "a", maxLength: 3 }, /maxLength: is not supported beside pattern/],
    [{ type: "string", format: "iri" }, /format: "iri" is not supported/],
    [{ type: "string", minLength: 3, maxLength: 2 }, /minLength: expected at most 2/],
    [{ type: "integer", minimum: 3, maximum: 2 }, /no text satisfies/],
    [{ type: "number", minimum: 0.5 }, /minimum: expected a whole number/],
    [{ $ref: "#/$defs/none" }, /\$ref: found nothing at "#\/\$defs\/none"/],
    [{ $ref: "https://example.com/schema" }, /found nothing/],
    [{ $ref: "#" }, /no text satisfies/],
    [{ required: ["a"], properties: { a: { $ref: "#" } } }, /no text satisfies/],
    [{ anyOf: [{}], minimum: 1 }, /minimum: is not supported beside anyOf/],
    [{ enum: ["a"], type: "number" }, /enum: no value has type number/],
    [{ enum: [] }, /enum: /],
    [
      { anyOf: [1, 2, 3].map((n) => ({ const: `${n}${"é".repeat(40_000)}` })) },
      /at most 200000 steps/,
    ],
    [false, /no text satisfies/],
    [12, /schema: /],
    [JSON.parse(`${'{"items":'.repeat(5000)}{}${"}".repeat(5000)}`), /nested deeper than 100/],
    [{ const: "x".repeat(300_000) }, /expected at most 131072 characters/],
  ])("says so: %#", (schema, message) => {
    const check = () => checkConstraint({ type: "json_schema", schema });
    expect(check).toThrow(ConstraintError);
    expect(check).toThrow(message);
  });

  it("is refused by generate, as one of a wrong form is", async () => {
    await expect(answer({ type: "json_schema", schema: { not: {} } }, 0)).rejects.toThrow(
      ConstraintError,
    );
    const ambiguous: Constraint = { type: "pattern", pattern: "(a{0,9999}){0,9999}" };
    await expect(answer(ambiguous, 0)).rejects.toThrow(/too many ways/);
    const wrong = { type: "yaml" } as unknown as Constraint;
    await expect(answer(wrong, 0)).rejects.toThrow(GenerationOptionsError);
  });

  it("is a ConstraintError too for a tokenizer that does not tell its bytes", async () => {
    const { tokenBytes: _, ...silent } = tokenizer;
    const stream = generate(babbler(0), silent, "x", { constraint: { type: "json_object" } });
    await expect(collect(stream)).rejects.toThrow(/expected a tokenizer with tokenBytes/);
  });
});

/** Whether an expression is the whole of a text. */
function acceptor(expression: Expression): (text: string) => boolean {
  const automaton = new ByteAutomaton(compileExpression(expression));
  return (text) => {
    let state: AutomatonState | null = automaton.start;
    for (const byte of new TextEncoder().encode(text)) state = state && automaton.next(state, byte);
    return state?.accepting === true;
  };
}
