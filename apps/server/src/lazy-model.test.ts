import { expect, it, onTestFinished } from "vitest";
import { newServer } from "./start-server.ts";
import { startSmallEngine } from "./testing/small-engine.ts";
import { Upstreams } from "./upstream/upstreams.ts";

it("a server before other engines loads nothing that runs models", async () => {
  const engine = await startSmallEngine((response) => response.end());
  onTestFinished(() => engine.close());
  const app = await newServer({ upstreams: await Upstreams.start({ urls: [engine.url] }) });
  onTestFinished(() => app.close().then(() => {}));
  expect((await app.inject("/ready")).json()).toMatchObject({ status: "ready" });
  // Where tfjs keeps itself.
  expect(globalThis).not.toHaveProperty("_tfengine");
  await import("./model-server.ts");
  expect(globalThis).toHaveProperty("_tfengine");
});
