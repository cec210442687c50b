import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { selectBackend } from "@levin/kernels/node";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import type { ServerSettings } from "../index.ts";
import { ask, model, startScriptedServer } from "../testing/scripted-server.ts";

beforeAll(() => selectBackend("cpu"));

const patient = { timeout: 20_000 };

async function start(settings: ServerSettings = {}) {
  const server = await startScriptedServer({ shutdownGrace: 0, ...settings });
  onTestFinished(() => server.close());
  const { port } = new URL(server.url);
  return {
    ...server,
    /** A connection with what came over it until it ended. */
    async open(text = ""): Promise<Socket & { received: () => string }> {
      const socket = connect(Number(port), "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      let received = "";
      socket.on("data", (data) => (received += data.toString()));
      socket.on("error", () => {});
      await once(socket, "connect");
      socket.write(text);
      return Object.assign(socket, { received: () => received });
    },
    /** That others are served all the while. */
    async expectHealth(): Promise<void> {
      const { choices } = await server.openai.chat.completions.create({
        model,
        messages: ask("hi"),
        max_tokens: 2,
      });
      expect(choices).toHaveLength(1);
    },
  };
}

const post = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n";
const json = `${post}content-type: application/json\r\n`;

/** Writes a piece every few milliseconds until the connection ends. */
async function drip(socket: Socket, piece: string): Promise<void> {
  while (!socket.destroyed && socket.writable) {
    socket.write(piece);
    await sleep(10);
  }
}

/** Passes when a connection is closed, by a reset too. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => void socket.once("close", () => resolve()));

/** Others are served all the while, which takes a busy machine some tenths of a second. */
const connections = { headersTimeout: 1000, requestTimeout: 1500 };

it("cuts off clients that send their headers too slowly, or nothing", async () => {
  const server = await start({ security: { connections } });
  const slow = await server.open("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n");
  const silent = await server.open();
  await server.expectHealth();
  await Promise.all([drip(slow, "x-a: b\r\n"), ended(silent)]);
  expect(slow.received()).toMatch(/^HTTP\/1.1 408 .*"did not come in time"|did not come in time/s);
  await server.expectHealth();
});

it("cuts off clients that send their body too slowly", async () => {
  const server = await start({ security: { connections } });
  const slow = await server.open(`${json}content-length: 1000000\r\n\r\n{`);
  await drip(slow, " ");
  expect(slow.received()).toMatch(/^HTTP\/1.1 408 /);
  await server.expectHealth();
});

it("cuts off bodies without end at the limit", async () => {
  const server = await start({ bodyLimit: 10_000, security: { connections } });
  const endless = await server.open(`${json}transfer-encoding: chunked\r\n\r\n`);
  await drip(endless, `3e8\r\n${" ".repeat(1000)}\r\n`);
  expect(endless.received()).toMatch(/^HTTP\/1.1 413 .*"code":"request_too_large"/s);
  await server.expectHealth();
});

it("refuses bodies that are announced to be too large, and reads none of them", async () => {
  const server = await start({ bodyLimit: 10_000, security: { connections } });
  const large = await server.open(`${json}content-length: 99999999999\r\n\r\n`);
  await expect.poll(large.received, patient).toMatch(/^HTTP\/1.1 413 /);
  await drip(large, " ".repeat(10_000));
  await server.expectHealth();
});

it.each([
  ["no HTTP", "\x16\x03\x01 hello\r\n\r\n", 400],
  ["headers without end", `${post}x-a: ${"a".repeat(100_000)}`, 431],
  ["two lengths", `${json}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400],
  ["a length and chunks", `${json}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`, 400],
  ["no name of a host", "GET /health HTTP/1.1\r\n\r\n", 400],
])("answers %s in OpenAI's form, and closes", async (_, text, status) => {
  const server = await start();
  const socket = await server.open(text);
  await ended(socket);
  expect(socket.received()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  await server.expectHealth();
});

it("takes so many connections and no more, until one ends", async () => {
  const server = await start({ security: { connections: { maxConnections: 3 } } });
  const taken = await Promise.all([1, 2, 3].map(() => server.open()));
  const request = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const refused = await server.open(request);
  await ended(refused);
  expect(refused.received()).toBe("");
  taken[0]!.destroy();
  await expect
    .poll(async () => {
      const next = await server.open(request);
      await Promise.race([ended(next), once(next, "data")]);
      return next.received().slice(0, 15);
    }, patient)
    .toBe("HTTP/1.1 200 OK");
});

it("cuts off clients that read nothing of a large file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "levin-page-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "large.bin"), Buffer.alloc(64 * 2 ** 20));
  const server = await start({ pageDirectory: directory, stallTimeout: 200 });
  const socket = await server.open("GET /large.bin HTTP/1.1\r\nhost: localhost\r\n\r\n");
  socket.pause();
  // Its end is seen only by writing: who reads nothing does not see it.
  await expect
    .poll(() => {
      socket.write("x");
      return socket.destroyed;
    }, patient)
    .toBe(true);
  const whole = await (await fetch(`${server.url}/large.bin`)).arrayBuffer();
  expect(whole.byteLength).toBe(64 * 2 ** 20);
});
