import { join } from "node:path";
import { chromiumPath, webGpuArguments } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel } from "./index.ts";
import { ask, ChatPage, finished, screenshots } from "./testing/chat-page.ts";

describe.skipIf(!chromiumPath)("the model in the tab on WebGPU", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    chat = await ChatPage.start(await loadServedModel(), {}, { args: webGpuArguments });
  });
  afterAll(() => chat?.close());

  it("answers as on the server, and goes on from its state", { timeout: 120_000 }, async (test) => {
    const page = await chat.open();
    const hasAdapter = await page.evaluate(async () => !!(await navigator.gpu?.requestAdapter()));
    if (!hasAdapter) test.skip("this Chromium has no WebGPU adapter, not even SwiftShader");
    const answers = (): Promise<string[]> => page.getByTestId("answer").allInnerTexts();
    // A GPU in software needs a quarter of a second for a token.
    await page.getByRole("slider").fill("0");
    const questions = ["What is 12 plus 30?", "What is 1 plus 1?"];
    for (const question of questions) {
      await ask(page, question);
      await finished(page);
    }
    const expected = await answers();

    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("In this tab, on its GPU").click();
    await page.getByText("in this tab, WebGPU").waitFor();
    await page.keyboard.press("Escape");
    for (const question of questions) {
      await ask(page, question);
      await finished(page);
    }
    expect(await answers()).toEqual(expected);
    expect(await page.getByTestId("figures").last().innerText()).toMatch(/remembered/);
    await page.screenshot({ path: join(screenshots, "tab-webgpu.png") });
  });
});
