import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath } from "@levin/tooling/chromium";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel } from "./index.ts";
import { ask, ChatPage, finished, screenshots, violations } from "./testing/chat-page.ts";
import { HeldEngine } from "./testing/held-engine.ts";

/** Drags a file from outside the browser over the page, and drops it there. */
async function drop(page: Page, path: string): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  const at = { x: 600, y: 300, data };
  for (const type of ["dragEnter", "dragOver"] as const) {
    await devtools.send("Input.dispatchDragEvent", { type, ...at });
  }
  await page.locator(".composer.over").waitFor();
  await devtools.send("Input.dispatchDragEvent", { type: "drop", ...at });
  await page.locator(".composer:not(.over)").waitFor();
}

describe.skipIf(!chromiumPath)("files on the chat page", () => {
  let chat: ChatPage;
  let engine: HeldEngine;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "levin-page-"));
    const served = await loadServedModel();
    engine = new HeldEngine(served);
    chat = await ChatPage.start({ ...served, engine });
  });
  afterAll(async () => {
    await chat?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** A file of so many sentences, of ten tokens each. */
  const fileOf = async (name: string, sentences: number): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, "Tom has 14 apples. ".repeat(sentences));
    return path;
  };

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
  });

  it("reads a long one that is dropped, telling how far it is", async () => {
    const page = await chat.open();
    await page.getByRole("slider").fill("0");
    await drop(page, await fileOf("long.txt", 1200));
    await page
      .getByTestId("size")
      .getByText(/^12,\d{3} tokens of the 65,536 that fit$/)
      .waitFor();
    // The bar stays for as long as there is no first token.
    engine.hold(0);
    await ask(page, "What is 12 plus 30?");
    const progress = page.getByRole("progressbar", { name: "Prompt read" });
    await progress.waitFor();
    expect(await progress.getAttribute("max")).toMatch(/^12\d{3}$/);
    await page.screenshot({ path: join(screenshots, "desktop-reading.png") });
    expect(await violations(page)).toEqual([]);
    engine.letGo();
    await finished(page);
    expect(await page.getByTestId("answer").innerText()).toMatch(/\S/);
    expect(await page.getByTestId("figures").innerText()).toMatch(/read 12,?\d{3}/);
  });

  it("says that one is too long before it is sent, and what the server says after", async () => {
    const page = await chat.open();
    await drop(page, await fileOf("longer.txt", 7000));
    await page
      .getByTestId("size")
      .getByText(/^70,\d{3} tokens of the 65,536 that fit: too long for this model$/)
      .waitFor();
    await ask(page, "What is it about?");
    await page.getByRole("alert").getByText(/65536/).waitFor();
    await finished(page);
    // The next question goes without what was too long.
    await ask(page, "What is 12 plus 30?");
    await page.getByTestId("answer").getByText("42").waitFor();
  });
});
