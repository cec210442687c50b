import { join } from "node:path";
import { chromiumPath } from "@levin/tooling/chromium";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel } from "./index.ts";
import { ask, ChatPage, finished, screenshots } from "./testing/chat-page.ts";

const isRunning = (page: Page): Promise<void> =>
  page.getByText(/in this tab, \d+ threads?/).waitFor();

describe.skipIf(!chromiumPath)("the model in the tab", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    chat = await ChatPage.start(await loadServedModel(), {}, { serviceWorkers: "allow" });
  });
  afterAll(() => chat?.close());

  it("says so when the server does not share its model", async () => {
    const page = await chat.open();
    await page.route("**/model", (route) => route.fulfill({ status: 404, json: {} }));
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("In this tab, works offline").click();
    await page.getByText(/not in this tab: this server does not share its model/).waitFor();
    await page.getByLabel("On the server").click();
    await page.locator(".names strong").waitFor();
  });

  it("answers without a server once it was loaded, and asks no other one", async () => {
    const page = await chat.open();
    const visitor = page.context();
    const asked: string[] = [];
    visitor.on("request", (request) => asked.push(request.url()));
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const devtools = await visitor.newCDPSession(page);
    const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
    // Only incognito windows, as this one is, stand in the way.
    expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(["in-incognito"]);
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("In this tab, works offline").click();
    await isRunning(page);
    await page.keyboard.press("Escape");

    await visitor.setOffline(true);
    await page.reload();
    await isRunning(page);
    // Kept out of spark's training.
    await ask(page, "What is 6284 + 2967?");
    await finished(page);
    expect(await page.getByTestId("answer").innerText()).toBe("9251");
    expect(await page.getByTestId("thought-tokens").innerText()).toMatch(/[1-9]\d* tokens/);
    expect(await page.getByTestId("figures").innerText()).toMatch(/tokens\/s[^]*state \d+ KiB/);
    await page.screenshot({ path: join(screenshots, "tab-offline.png") });

    // The next turn goes on from the state in the tab.
    await ask(page, "What is 12 plus 30?");
    await finished(page);
    expect(await page.getByTestId("figures").last().innerText()).toMatch(/remembered/);

    // A long text shows how far it is read, and can be stopped there.
    await page.getByLabel("Attach text files").setInputFiles({
      name: "tom.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("Tom has 14 apples. ".repeat(4000)),
    });
    await ask(page, "How many apples?");
    const progress = page.getByRole("progressbar", { name: "Prompt read" });
    await progress.waitFor();
    expect(await progress.getAttribute("max")).toMatch(/^40\d{3}$/);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator(".note").getByText("Stopped.").waitFor();
    expect(asked.filter((url) => !url.replace(/^blob:/, "").startsWith(chat.address))).toEqual([]);
    expect(asked.some((url) => url.includes("/v1/chat/completions"))).toBe(false);
  });
});
