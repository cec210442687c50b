import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSmallEngine, type SmallEngine } from "../testing/small-engine.ts";
import { startUpstreamServer, type UpstreamServer } from "../testing/upstream-server.ts";

const patient = { timeout: 20_000 };
const question = { model: "small", messages: [{ role: "user" as const, content: "go" }] };

type Answer = Parameters<typeof startSmallEngine>[0];

/** The smallest complete answer. */
const content = (text: string) => ({
  id: "1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: text } }],
});
const says =
  (text: string): Answer =>
  (response) =>
    send(response, 200, content(text));

function send(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function start(
  answers: Answer[],
  options: Parameters<typeof startUpstreamServer>[1] = {},
): Promise<{ front: UpstreamServer; engines: SmallEngine[] }> {
  const engines = await Promise.all(answers.map((answer) => startSmallEngine(answer)));
  const front = await startUpstreamServer(
    engines.map(({ url }) => `${url}/v1`),
    { shutdownGrace: 0, ...options },
  );
  onTestFinished(async () => {
    await front.close();
    for (const engine of engines) engine.close();
  });
  return { front, engines };
}

const asked = (front: UpstreamServer) =>
  front.openai.chat.completions.create(question).then(({ choices }) => choices[0]!.message.content);

describe("a request that an upstream can't answer now", () => {
  it.each([429, 502, 503, 504])("goes to another one after %i", async (status) => {
    const { front, engines } = await start([
      (response) => send(response, status, {}),
      says("second"),
    ]);
    for (let i = 0; i < 4; i++) expect(await asked(front)).toBe("second");
    expect(engines[0]!.received.length).toBeGreaterThan(0);
  });

  it("waits as long as Retry-After says where there is no other", async () => {
    const { front, engines } = await start([
      (response, before) =>
        before === 0
          ? send(response, 429, {}, { "retry-after": "1" })
          : send(response, 200, content("later")),
    ]);
    expect(await asked(front)).toBe("later");
    const [first, second] = engines[0]!.received;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(950);
  });

  it("is answered as the upstream answers when it asks to wait for long", async () => {
    const error = { message: "come back", type: "rate_limit", param: null, code: "slow_down" };
    const { front, engines } = await start([
      (response) => send(response, 429, { error }, { "retry-after": "3600" }),
    ]);
    await expect(asked(front)).rejects.toMatchObject({ status: 429, code: "slow_down" });
    expect(engines[0]!.received).toHaveLength(1);
    const response = await fetch(`${front.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(question),
    });
    expect(response.headers.get("retry-after")).toBe("3600");
  });

  it.each([400, 500])("is not sent again after %i", async (status) => {
    const { front, engines } = await start([
      (response) => send(response, status, { error: { message: "no", code: "own" } }),
    ]);
    await expect(asked(front)).rejects.toMatchObject({ status, code: "own" });
    expect(engines[0]!.received).toHaveLength(1);
  });

  it("goes to another one when the connection breaks before the answer", async () => {
    const { front } = await start([(response) => response.destroy(), says("second")]);
    for (let i = 0; i < 4; i++) expect(await asked(front)).toBe("second");
  });

  it("gets 504 when the answer takes too long, and is not sent again", async () => {
    const { front, engines } = await start([() => {}], { timeouts: { reply: 200 } });
    await expect(asked(front)).rejects.toMatchObject({ status: 504, code: "upstream_timeout" });
    expect(engines[0]!.received).toHaveLength(1);
  });

  it("gets 503 when no upstream is there", async () => {
    const { front, engines } = await start([says("gone")]);
    engines[0]!.close();
    await expect.poll(() => front.upstreams.isReady, patient).toBe(false);
    await expect(asked(front)).rejects.toMatchObject({ status: 503, code: "upstream_unavailable" });
  });
});

describe("the circuit of an upstream", () => {
  it("opens when requests fail in a row though it seems healthy, and closes when they don't", async () => {
    let isBroken = true;
    const { front, engines } = await start([
      (response) => (isBroken ? send(response, 502, {}) : send(response, 200, content("first"))),
      says("second"),
    ]);
    const [first] = front.upstreams.all;
    await expect
      .poll(async () => {
        expect(await asked(front)).toBe("second");
        return first!.status;
      }, patient)
      .toBe("circuit open");
    const { length } = engines[0]!.received;
    expect(length).toBe(10);
    await asked(front);
    expect(engines[0]!.received).toHaveLength(length);
    isBroken = false;
    await expect.poll(() => first!.status, patient).toBe("available");
    const answers = [await asked(front), await asked(front)];
    expect(new Set(answers)).toEqual(new Set(["first", "second"]));
  });
});

describe("what passes", () => {
  it("is the body and harmless headers: no key of a client, but the upstream's own", async () => {
    const { front, engines } = await start([says("yes")], { key: "upstreams-key" });
    await fetch(`${front.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: "Bearer clients-own-key",
        "x-api-key": "clients-own-key",
        cookie: "session=clients-own-key",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      },
      body: JSON.stringify({ ...question, tools: [{ of: "theirs" }], not_ours: 7 }),
    });
    const [{ path, headers, body }] = engines[0]!.received as [SmallEngine["received"][number]];
    expect(path).toBe("/v1/chat/completions");
    expect(headers["authorization"]).toBe("Bearer upstreams-key");
    expect(JSON.stringify(headers)).not.toContain("clients-own-key");
    expect(headers["traceparent"]).toMatch(/^00-0af/);
    expect(JSON.parse(body)).toEqual({ ...question, tools: [{ of: "theirs" }], not_ours: 7 });
  });

  it("is no header of one connection, nor cookies", async () => {
    const own = { connection: "x-hop", "x-hop": "1", "set-cookie": "a=b", "x-kept": "yes" };
    const { front } = await start([(response) => send(response, 200, content("yes"), own)]);
    const response = await fetch(`${front.url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "small", input: "text" }),
    });
    expect(response.headers.get("x-kept")).toBe("yes");
    for (const name of ["x-hop", "set-cookie"]) expect(response.headers.has(name)).toBe(false);
  });

  it("is each event at once, cut nowhere, with a typed error when the stream breaks off", async () => {
    const piece = (text: string) =>
      `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
    let goOn = (): void => {};
    const { front } = await start([
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(piece("first") + piece("second").slice(0, 20));
        await new Promise<void>((resolve) => (goOn = resolve));
        response.write(piece("second").slice(20) + piece("lost").slice(0, 30));
        await sleep(50);
        response.destroy();
      },
    ]);
    const stream = await front.openai.chat.completions.create({ ...question, stream: true });
    const texts: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const { choices } of stream) {
        texts.push(choices[0]!.delta.content);
        goOn();
      }
    };
    await expect(read()).rejects.toMatchObject({ code: "upstream_unreachable" });
    expect(texts).toEqual(["first", "second"]);
  });

  it("reaches only upstreams that have the model", async () => {
    const engines = await Promise.all([
      startSmallEngine(says("of a"), ["a", "both"]),
      startSmallEngine(says("of b"), ["b", "both"]),
    ]);
    const front = await startUpstreamServer(engines.map(({ url }) => url));
    onTestFinished(async () => {
      await front.close();
      for (const engine of engines) engine.close();
    });
    const { data } = await front.openai.models.list();
    expect(data.map(({ id }) => id)).toEqual(["a", "both", "b"]);
    for (const model of ["a", "b"]) {
      const { choices } = await front.openai.chat.completions.create({ ...question, model });
      expect(choices[0]!.message.content).toBe(`of ${model}`);
    }
  });
});

describe("a stream", () => {
  const eventStream = { "content-type": "text/event-stream" };

  it("ends upstream when its client leaves", async () => {
    let upstream: ServerResponse | undefined;
    const { front } = await start([
      (response) => {
        upstream = response;
        response.writeHead(200, eventStream);
        response.write("data: {}\n\n");
      },
    ]);
    const client = new AbortController();
    const { signal } = client;
    const stream = await front.openai.chat.completions.create(
      { ...question, stream: true },
      { signal },
    );
    await stream[Symbol.asyncIterator]().next();
    const closed = once(upstream!, "close");
    client.abort();
    await closed;
    expect(front.upstreams.all[0]!.status).toBe("available");
  });

  /** Sends without end, as fast as it is read. */
  function flood(): { answer: Answer; sent: () => number } {
    let sent = 0;
    const piece = `data: ${JSON.stringify({ choices: [], padding: "x".repeat(2 ** 16) })}\n\n`;
    const answer: Answer = async (response) => {
      response.writeHead(200, eventStream);
      while (!response.destroyed) {
        sent += 1;
        if (!response.write(piece)) await once(response, "drain").catch(() => {});
      }
    };
    return { answer, sent: () => sent };
  }
  const stopped = (sent: () => number): Promise<void> =>
    expect
      .poll(async () => {
        const before = sent();
        await sleep(200);
        return sent() - before;
      }, patient)
      .toBe(0);

  it("waits upstream while its client does not read, and goes on when it does", async () => {
    const { answer, sent } = flood();
    const { front } = await start([answer]);
    const stream = await front.openai.chat.completions.create({ ...question, stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    await stopped(sent);
    const before = sent();
    for (let i = 0; i < before; i++) await chunks.next();
    await expect.poll(sent, patient).toBeGreaterThan(before);
    stream.controller.abort();
  });

  it("is cut off when its client reads nothing more", async () => {
    const { answer } = flood();
    const { front } = await start([answer], { stallTimeout: 200 });
    const stream = await front.openai.chat.completions.create({ ...question, stream: true });
    await stream[Symbol.asyncIterator]().next();
    await expect.poll(() => front.upstreams.all[0]!.outstanding, patient).toBe(0);
  });
});

describe("metrics of upstreams", () => {
  const samples = async (front: UpstreamServer): Promise<Record<string, number>> => {
    const text = await (await fetch(`${front.url}/metrics`)).text();
    const found = text.matchAll(
      /^levin_upstream_([^{]+)\{upstream="(\d)"(?:,outcome="(\w+)")?\} (\d+)$/gm,
    );
    return Object.fromEntries(
      Array.from(found, ([, name, number, outcome, value]) => [
        [number, name, outcome].filter(Boolean).join(" "),
        Number(value),
      ]),
    );
  };

  it("tell what came of requests, how long replies took, and which may be asked", async () => {
    let isBusy = true;
    const { front } = await start([
      (response) => {
        if (!isBusy) return send(response, 200, content("first"));
        isBusy = false;
        return send(response, 429, {}, { "retry-after": "0" });
      },
      (response) => response.destroy(),
    ]);
    for (let i = 0; i < 8; i++) expect(await asked(front)).toBe("first");
    const now = await samples(front);
    expect(now).toMatchObject({
      "1 requests_total answered": 8,
      "1 requests_total busy": 1,
      "1 reply_seconds_count": 8,
      "1 available": 1,
      "1 circuit_open": 0,
      "1 outstanding_requests": 0,
      "2 outstanding_requests": 0,
    });
    expect(now["2 requests_total failed"]).toBeGreaterThan(0);
    expect(now["2 requests_total answered"]).toBeUndefined();
  });

  it("count a refusal in the form of events as a whole reply", async () => {
    const { front } = await start([
      (response) => {
        response.writeHead(400, { "content-type": "text/event-stream" });
        response.end('data: {"error": {"message": "no"}}\n\n');
      },
    ]);
    const { id } = await front.openai.post<{ id: string }>("/sessions", { body: {} });
    for (const body of [question, { ...question, session: id }]) {
      await expect(front.openai.chat.completions.create(body)).rejects.toMatchObject({
        status: 400,
      });
    }
    expect(await samples(front)).toMatchObject({
      "1 requests_total answered": 2,
      "1 outstanding_requests": 0,
    });
  });

  it("know a stream that is whole from one that breaks off and one that is left", async () => {
    const { front } = await start([
      (response, before) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(`data: ${JSON.stringify(content("x"))}\n\n`);
        if (before === 0) response.end("data: [DONE]\n\n");
        if (before === 1) setTimeout(() => response.destroy(), 50);
      },
    ]);
    const leaving = new AbortController();
    for (const signal of [undefined, undefined, leaving.signal]) {
      const body = JSON.stringify({ ...question, stream: true });
      const headers = { "content-type": "application/json" };
      const url = `${front.url}/v1/chat/completions`;
      const response = await fetch(url, { method: "POST", body, headers, signal: signal ?? null });
      if (!signal) await response.text();
      else leaving.abort();
    }
    await expect
      .poll(() => samples(front), patient)
      .toMatchObject({
        "1 requests_total answered": 1,
        "1 requests_total broken_off": 1,
        "1 requests_total left": 1,
        "1 reply_seconds_count": 3,
      });
  });
});
