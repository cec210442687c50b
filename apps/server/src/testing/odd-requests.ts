import fc from "fast-check";
import type { InjectOptions } from "fastify";

/** A route of the server, as Fastify has it: `/v1/models/*`, `/v1/responses/:id`. */
export interface Route {
  method: string;
  url: string;
}

/** In every text of a prompt, so that one is found wherever it should not be. */
export const mark = "xylophonic";

const text = `What is ${mark} plus 30?`;
const common = { model: "scripted", max_tokens: 3, temperature: 0 };
const messages = [
  { role: "system", content: text },
  { role: "user", content: [{ type: "text", text }] },
  { role: "assistant", content: text },
  { role: "user", content: text },
];
const schema = {
  type: "object",
  properties: { sum: { type: "integer" }, words: { type: "array", items: { type: "string" } } },
  required: ["sum", "words"],
  additionalProperties: false,
};
const parameters = { type: "object", properties: { city: { enum: ["Rome", "Oslo"] } } };
const tool = { type: "function", function: { name: "weather", description: text, parameters } };
const format = { type: "json_schema", json_schema: { name: "answer", schema, strict: true } };

/** Bodies that are right, for some route or other. */
const bodies: object[] = [
  { ...common, messages, stop: ["."], seed: 3, n: 2, logprobs: true, top_logprobs: 2 },
  { ...common, messages, stream: true, stream_options: { include_usage: true } },
  { ...common, messages, response_format: format, thinking_budget: 0 },
  { ...common, messages, tools: [tool], tool_choice: "auto", reasoning_effort: "low" },
  { ...common, prompt: text, logprobs: 1, top_p: 0.5, top_k: 4, min_p: 0.1 },
  { ...common, prompt: [5, 6, 7], stream: true },
  { model: "scripted", input: text, max_output_tokens: 3 },
  { model: "scripted", input: messages, stream: true, instructions: text, tools: [] },
  { model: "scripted", input: [text, text], encoding_format: "base64" },
  { model: "scripted", content: text, prompt: text },
  { model: "scripted", tokens: [5, 6, 7] },
];

const oddTexts = [
  "",
  "\u0000",
  "\ud800",
  "\u202e\u200d\ufeff",
  "🙂".repeat(300),
  "é".normalize("NFD"),
  "a".repeat(1000),
  "<think>",
  "</think>\n\n",
  "<beginning_of_sentence>",
  "{{ 7 * 7 }}{% for x in y %}",
  "__proto__",
  "constructor",
  "../../../../etc/passwd",
  "(a+)+$",
  "\\",
  '"',
];

const nested = (depth: number, isObject: boolean): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = isObject ? { a: value, items: value } : [value];
  return value;
};
/** `{ a, items }` shares its parts: written out it would be 2 to this power. */
const depths = [5, 8];

const oddNumbers = [0, -0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, 5e-324, NaN, Infinity];

/** Some of many values, drawn once: drawing anew would take longer than a request. */
function pool<Value>(values: fc.Arbitrary<Value>, size = 500): fc.Arbitrary<Value> {
  return fc.constantFrom(...fc.sample(values, { numRuns: size, seed: 1 }));
}

/* Fast-check's own strings of any characters, and its parts of URLs, first make a table of all there are. */
const anyCharacter = fc
  .integer({ min: 0, max: 0x10_ffff })
  .map((code) => String.fromCodePoint(code));
const urlPart = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...Array.from("abcxyz019-._~!$&'()*+,;=:@")),
    anyCharacter.map((one) => encodeURIComponent(one.toWellFormed())),
  ),
});

const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...oddTexts, ...oddNumbers, null, true, false, [], {}, [[]], [null]),
  fc.constantFrom(...depths).map((depth) => nested(depth, true)),
  fc.constantFrom(50, 1500).map((depth) => nested(depth, false)),
  fc.string({ unit: anyCharacter, maxLength: 20 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.constantFrom<unknown>(...oddTexts, ...oddNumbers), { maxLength: 8 }),
  fc.constantFrom<unknown>(...bodies, schema, tool, format),
);

const oddValue = pool(anyValue);

type Step = (value: unknown) => unknown;

/** Changes one place of a value: what `choose` picks among its keys, and theirs. */
function changed(value: unknown, path: readonly number[], change: Step): unknown {
  const [first, ...rest] = path;
  if (first === undefined || typeof value !== "object" || value === null) return change(value);
  const keys = Object.keys(value);
  if (keys.length === 0) return change(value);
  const key = keys[first % keys.length]!;
  const inside = changed((value as Record<string, unknown>)[key], rest, change);
  if (Array.isArray(value)) return value.map((item, i) => (`${i}` === key ? inside : item));
  return { ...value, [key]: inside };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  oddValue.map((odd) => () => odd),
  fc.constant((value: unknown) => [value]),
  fc.constant(() => undefined),
  fc.constant((value: unknown) => Array.from({ length: 12 }, () => value)),
  fc.tuple(pool(fc.string()), oddValue).map(
    ([key, odd]) =>
      (value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? { ...value, [key]: odd }
          : odd,
  ),
);

const oddBody = fc
  .tuple(
    fc.constantFrom<object>(...bodies),
    fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 6 }), step), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([body, changes]) =>
    changes.reduce<unknown>((value, [path, change]) => changed(value, path, change), body),
  );

const brokenText = fc
  .tuple(
    fc.constantFrom(...bodies.map((body) => JSON.stringify(body))),
    fc.nat(2000),
    pool(fc.string()),
  )
  .map(([json, at, inserted]) => {
    const place = at % json.length;
    return at % 2 === 0
      ? json.slice(0, place)
      : json.slice(0, place) + inserted + json.slice(place);
  });

const wildText = fc.constantFrom(
  "",
  "null",
  "[]",
  "7",
  "NaN",
  "{}{}",
  '{"__proto__":{"model":"scripted"}}',
  '{"constructor":{"prototype":{"x":1}}}',
  `{"model":"scripted","messages":${"[".repeat(30_000)}`,
  `{"model":"scripted","prompt":${"[".repeat(30_000)}${"]".repeat(30_000)}}`,
  '{"model":"scripted","prompt":"\\ud800"}',
  '{"max_tokens":1e999,"model":"scripted","prompt":"x"}',
  `{"a":"${"x".repeat(100_000)}"}`,
);

const payload = fc.oneof(
  { weight: 8, arbitrary: oddBody.map((body) => JSON.stringify(body) ?? "") },
  { weight: 2, arbitrary: brokenText },
  { weight: 1, arbitrary: wildText },
  { weight: 1, arbitrary: pool(fc.string({ unit: anyCharacter })) },
  {
    weight: 1,
    arbitrary: pool(fc.uint8Array({ maxLength: 200 })).map((bytes) => Buffer.from(bytes)),
  },
);

const contentType = fc.oneof(
  { weight: 8, arbitrary: fc.constant("application/json") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "application/json; charset=utf-16",
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "multipart/form-data; boundary=x",
      "application/octet-stream",
      "application/json, text/html",
      "a/b/c;;;=",
      "*/*",
    ),
  },
);

const oddHeader = fc.constantFrom<Record<string, string>>(
  {},
  { accept: "text/html" },
  { authorization: "Bearer" },
  { authorization: `Basic ${"A".repeat(2000)}` },
  { "content-encoding": "gzip" },
  { expect: "200-maybe" },
  { "x-forwarded-host": "evil.example", "x-forwarded-for": "1".repeat(300) },
  { "x-request-id": "a\tb".repeat(50) },
  { range: "bytes=9-1,5-,-3" },
  { "if-none-match": "W/".repeat(500) },
  { origin: "https://evil.example" },
  { host: "evil.example" },
  { host: "[::1" },
  { cookie: "a=b; ".repeat(300) },
  { upgrade: "websocket", connection: "upgrade" },
);

const oddSegment = fc.oneof(
  fc.constantFrom(
    "..",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%5c..%5cpackage.json",
    "....//....//etc/passwd",
    "%00",
    "%zz",
    "%c0%ae%c0%ae/",
    "%ff",
    "scripted",
    "__proto__",
    "x".repeat(3000),
    "a%2fb",
    ";a=b",
    "",
  ),
  pool(urlPart),
);

const query = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: pool(urlPart).map((fields) => `?${fields}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("?__proto__[a]=1", "?limit=-1&after=%00", "?a=1&a=2&a[]=3", "?%"),
  },
);

const methods = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "QUERY",
  "MKCOL",
];

/** Requests that are wrong in some way, most of them to these routes. */
export function oddRequests(routes: readonly Route[]): fc.Arbitrary<InjectOptions> {
  // Routes that take a body can be asked wrongly in more ways.
  const withBody = routes.filter(({ method }) => method === "POST");
  const routed = fc
    .tuple(
      fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...withBody) },
        { weight: 1, arbitrary: fc.constantFrom(...routes) },
      ),
      oddSegment,
    )
    .map(([{ method, url }, segment]) => ({ method, url: url.replace(/:\w+|\*/, segment) }));
  const astray = fc.record({
    method: fc.constantFrom(...methods),
    url: fc.oneof(
      fc.constantFrom(...routes.map(({ url }) => url)),
      fc.array(oddSegment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`),
      fc.array(oddSegment, { maxLength: 4 }).map((segments) => `/assets/${segments.join("/")}`),
    ),
  });
  const target = fc.oneof({ weight: 5, arbitrary: routed }, { weight: 1, arbitrary: astray });
  return fc
    .tuple(target, query, contentType, oddHeader, payload)
    .map(([{ method, url }, search, type, headers, body]) => ({
      method: method as "POST",
      url: url + search,
      headers: { "content-type": type, ...headers },
      ...(!["GET", "HEAD", "OPTIONS", "TRACE"].includes(method) && { payload: body }),
    }));
}
