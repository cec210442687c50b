import { join } from "node:path";
import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel } from "./index.ts";
import {
  ask,
  ChatPage,
  finished,
  overflow,
  screenshots,
  viewports,
  violations,
} from "./testing/chat-page.ts";
import { HeldEngine } from "./testing/held-engine.ts";

describe.skipIf(!chromiumPath)("the chat page in Chromium", () => {
  let chat: ChatPage;
  let engine: HeldEngine;
  beforeAll(async () => {
    const served = await loadServedModel();
    engine = new HeldEngine(served);
    chat = await ChatPage.start({ ...served, engine }, {}, { serviceWorkers: "allow" });
  });
  afterEach(() => engine.letGo());
  afterAll(() => chat?.close());

  it.each(Object.entries(viewports))(
    "streams an answer with a folded thought on a %s",
    async (name, viewport) => {
      const page = await chat.open(viewport);
      await page.screenshot({ path: join(screenshots, `${name}-welcome.png`) });
      engine.hold(10);
      // Kept out of spark's training.
      await ask(page, "What is 6284 + 2967?");
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await page.locator("summary .last-line").filter({ hasText: /\S/ }).waitFor();
      engine.letGo();
      await finished(page);
      expect(await page.getByTestId("answer").innerText()).toBe("9251");
      expect(await page.getByTestId("figures").innerText()).toMatch(/\d+ tokens\s*\d+ tokens\/s/);
      const thought = page.locator("details.thought");
      expect(await thought.getAttribute("open")).toBeNull();
      expect(await page.getByTestId("thought-tokens").innerText()).toMatch(/[1-9]\d* tokens/);
      await thought.locator("summary").click();
      expect(await thought.locator("pre").innerText()).toMatch(/\S/);
      await page.screenshot({ path: join(screenshots, `${name}-answer.png`) });
      expect(await overflow(page)).toBe(0);
      await page.close();
    },
  );

  it("keeps the thought within the slider's budget", async () => {
    const page = await chat.open(viewports.desktop);
    await page.getByRole("slider").fill("1");
    await ask(page, "What is 4821 plus 3977?");
    await finished(page);
    expect(await page.getByTestId("thought-tokens").innerText()).toBe("16 of 16 tokens");
  });

  it("stops at once, and then answers the next question", async () => {
    const page = await chat.open(viewports.desktop);
    engine.hold(10);
    await ask(page, "Sort from smallest to largest: 42, 7, 19, 23, 11, 35, 28.");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".note").getByText("Stopped.").waitFor();
    engine.letGo();
    await ask(page, "What is 1 plus 1?");
    await finished(page);
    expect(await page.getByTestId("answer").last().innerText()).toMatch(/\S/);
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByText("Long thoughts, small memory").waitFor();
  });

  it("asks an example at a click, within the slider's budget too", async () => {
    const page = await chat.open(viewports.phone);
    await page.getByRole("slider").fill("0");
    await page.getByRole("button", { name: "Addition" }).click();
    await page.getByTestId("answer").filter({ hasText: /\S/ }).waitFor();
    expect(await page.getByTestId("thought-tokens").count()).toBe(0);
  });

  it("shows what went wrong, and leaves it out of the next question", async () => {
    const page = await chat.open(viewports.desktop);
    const sent: { messages: unknown[] }[] = [];
    await page.route("**/v1/chat/completions", async (route) => {
      sent.push(route.request().postDataJSON() as { messages: unknown[] });
      const error = { message: "the prompt is too long" };
      if (sent.length > 1) await route.continue();
      else await route.fulfill({ status: 400, json: { error } });
    });
    await ask(page, "Too long?");
    expect(await page.getByRole("alert").innerText()).toBe("the prompt is too long");
    await ask(page, "What is 1 plus 1?");
    await finished(page);
    expect(sent[1]!.messages).toEqual([{ role: "user", content: "What is 1 plus 1?" }]);
  });

  it("waits for a server that is not there yet", async () => {
    const page = await chat.open();
    let isThere = false;
    await page.route("**/v1/models", (route) => (isThere ? route.continue() : route.abort()));
    await page.reload();
    await page.getByText("waiting for the server…").waitFor();
    isThere = true;
    await page.locator(".names strong").getByText("spark").waitFor();
  });

  it("leaves whoever scrolls up to read where they are", async () => {
    const page = await chat.open({ width: 390, height: 420 });
    for (let turn = 0; turn < 3; turn++) {
      await ask(page, "What is 12 plus 30?");
      await finished(page);
    }
    const scrollTop = (): Promise<number> =>
      page.locator("main").evaluate((element) => element.scrollTop);
    expect(await scrollTop()).toBeGreaterThan(100);
    engine.hold(10);
    await ask(page, "What is 4821 plus 3977?");
    await page.locator("main").evaluate((element) => element.scrollTo(0, 0));
    engine.letGo();
    await finished(page);
    expect(await scrollTop()).toBe(0);
  });

  it("has no accessibility violations that axe knows, in light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await chat.open(viewports.phone);
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
      await ask(page, "What is 2 plus 2?");
      await finished(page);
      await page.locator("details.thought summary").click();
      expect(await violations(page)).toEqual([]);
    }
  });
});
