import { selectBackend } from "@levin/kernels/node";
import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, ChatPage, finished, kept } from "./testing/chat-page.ts";
import { scriptedModel } from "./testing/scripted-model.ts";

const host = "levin.example";

describe.skipIf(!chromiumPath)("the chat page on plain http of another machine", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    await selectBackend("cpu");
    const model = scriptedModel(() => "<think>\nhm\n</think>\n\nHello.");
    const resolved = `--host-resolver-rules=MAP ${host} 127.0.0.1`;
    const args = ["--disable-gpu", resolved];
    chat = await ChatPage.start(model, { hosts: [host] }, { args });
  });
  afterAll(() => chat?.close());

  it("answers and keeps, without what browsers leave to secure pages", async () => {
    const visitor = await chat.visitor();
    const address = chat.address.replace("127.0.0.1", host);
    let page = await chat.openAs(visitor, address);
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await ask(page, "Are you there?");
    await finished(page);
    expect(await page.getByTestId("answer").innerText()).toBe("Hello.");
    await page.getByRole("button", { name: "Menu" }).click();
    expect(await page.getByLabel("In this tab, works offline").isDisabled()).toBe(true);
    await kept(page, ["Are you there?"]);
    await page.close();

    page = await chat.openAs(visitor, address);
    await page.getByRole("button", { name: "Are you there?", exact: true }).click();
    expect(await page.getByTestId("answer").innerText()).toBe("Hello.");
  });
});
