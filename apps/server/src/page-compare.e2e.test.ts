import { join } from "node:path";
import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

describe.skipIf(!chromiumPath)("comparisons on the chat page", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    chat = await ChatPage.start(await loadServedModel());
  });
  afterAll(() => chat?.close());

  it("shows answers without and with thinking side by side, and the state against softmax", async () => {
    const page = await chat.open();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("No thinking | 512 tokens").click();
    await page.getByLabel("Lightning | softmax memory").click();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await ask(page, "What is 6284 + 2967?");
    await finished(page);
    const [quick, thoughtful] = [
      page.getByRole("article", { name: "No thinking" }),
      page.getByRole("article", { name: "Up to 512 tokens of thought" }),
    ];
    expect(await quick.locator("details.thought").count()).toBe(0);
    expect(await thoughtful.getByTestId("thought-tokens").innerText()).toMatch(
      /^\d+ of 512 tokens$/,
    );
    expect(await thoughtful.getByTestId("answer").innerText()).toBe("9251");
    expect(await quick.getByTestId("figures").innerText()).toMatch(/\d+ tokens?[^]*state \d+ KiB/);
    await thoughtful.getByRole("button", { name: "Continue with this one" }).click();
    // One softmax layer of eight; 56 KiB are the lightning layers'.
    const [tokens] = await page.locator(".memory tbody th").allInnerTexts();
    const [own] = await page.getByTestId("own-bytes").allInnerTexts();
    const [twin] = await page.getByTestId("twin-bytes").allInnerTexts();
    expect(own).toBe(`${Math.round(56 + Number(tokens) / 8)} KiB`);
    expect(twin).toBe(`${Number(tokens)} KiB`);
    await page.screenshot({ path: join(screenshots, "desktop-compare.png") });
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize(viewports.phone);
    await page.screenshot({ path: join(screenshots, "phone-compare.png") });
    expect(await overflow(page)).toBe(0);
    await page.close();
  });
});
