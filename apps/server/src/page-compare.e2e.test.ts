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

describe.skipIf(!chromiumPath)("comparisons and files on the chat page", () => {
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

  it("takes text files and long pastes, counts their tokens, and refuses what is no text", async () => {
    const page = await chat.open();
    const text = "Tom has 14 apples. ".repeat(120);
    const field = page.getByLabel("Attach text files");
    await field.setInputFiles({
      name: "tom.txt",
      mimeType: "text/plain",
      buffer: Buffer.from(text),
    });
    await page
      .getByTestId("size")
      .getByText(/^[\d,]+ tokens of the 65,536 that fit$/)
      .waitFor();
    await field.setInputFiles({
      name: "x.bin",
      mimeType: "",
      buffer: Buffer.from([0xff, 0xfe, 0]),
    });
    expect(await page.getByRole("alert").innerText()).toBe("x.bin: expected a text in UTF-8");
    await page.getByLabel("Your question").evaluate((element, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", pasted);
      element.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }),
      );
    }, text);
    await page.getByRole("button", { name: "Leave out Pasted text" }).click();
    await page.screenshot({ path: join(screenshots, "desktop-files.png") });
    const sent = page.waitForRequest("**/v1/chat/completions");
    await ask(page, "How many apples does Tom have?");
    const { messages } = (await sent).postDataJSON() as { messages: { content: string }[] };
    expect(messages[0]!.content).toBe(`tom.txt:\n\n${text}\n\nHow many apples does Tom have?`);
    await page.getByText("tom.txt").waitFor();
    await finished(page);
    expect(await page.getByTestId("figures").innerText()).toMatch(/read \d+/);
    await page.close();
  });
});
