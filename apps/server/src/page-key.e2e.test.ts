import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel } from "./index.ts";
import { createKey } from "./security/api-key.ts";
import { KeyRing } from "./security/key-ring.ts";
import { ask, ChatPage, finished } from "./testing/chat-page.ts";

const { key, stored } = createKey("alice", {});

describe.skipIf(!chromiumPath)("the chat page of a server that wants an API key", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    const keys = new KeyRing(undefined, [stored]);
    chat = await ChatPage.start(await loadServedModel(), { keys });
  });
  afterAll(() => chat?.close());

  it("says so, takes the key in its menu, and still has it when it is opened again", async () => {
    const visitor = await chat.visitor();
    const page = await visitor.newPage();
    await page.goto(chat.address);
    await page.getByText("needs an API key").waitFor();
    await page.getByLabel("Menu").click();
    const field = page.getByLabel("API key of the server");
    const refused = page.waitForResponse((response) => response.status() === 401);
    await field.fill("levin-wrong");
    await field.press("Tab");
    await refused;
    await page.getByText("needs an API key").waitFor();
    await field.fill(key);
    await field.press("Tab");
    await page.locator(".names strong").waitFor();
    await page.keyboard.press("Escape");
    await ask(page, "What is 12 plus 30?");
    await finished(page);
    expect(await page.getByTestId("answer").innerText()).toMatch(/\S/);
    await page.close();
    const again = await chat.openAs(visitor);
    expect(await again.locator(".names strong").innerText()).toBe("spark");
  });
});
