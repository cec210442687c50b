import { readFile } from "node:fs/promises";
import { selectBackend } from "@levin/kernels/node";
import { chromiumPath } from "@levin/tooling/chromium";
import type { Download, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answers, ask, ChatPage, finished, kept, violations } from "./testing/chat-page.ts";
import { scriptedModel } from "./testing/scripted-model.ts";

/** Says which question it was asked last, and how many there were. */
const echo = (conversation: string): string => {
  const asked = [...conversation.matchAll(/user name=user\n(.*?)(?=<end_of_sentence>)/gs)];
  return `<think>\nI count.\n</think>\n\n${asked.length}: ${asked.at(-1)?.[1]}`;
};

describe.skipIf(!chromiumPath)("conversations of the chat page", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    await selectBackend("cpu");
    chat = await ChatPage.start(scriptedModel(echo));
  });
  afterAll(() => chat?.close());

  const list = (page: Page): Promise<string[]> => page.locator(".chat-item .title").allInnerTexts();
  const askAndWait = async (page: Page, question: string): Promise<void> => {
    await ask(page, question);
    await finished(page);
  };

  it("are kept over a reload, found by a search, renamed and deleted", async () => {
    let page = await chat.open();
    await askAndWait(page, "red apples");
    await page.getByRole("button", { name: "New chat" }).click();
    await askAndWait(page, "green pears");
    expect(await list(page)).toEqual(["green pears", "red apples"]);
    await page.getByRole("button", { name: "Rename “red apples”" }).click();
    await page.getByLabel("Name of the conversation").fill("Fruit");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Fruit", exact: true }).click();
    await answers(page, ["1: red apples"]);
    await kept(page, ["Fruit", "green pears"]);
    await page.close();

    page = await chat.openAs(page.context());
    await page.getByRole("button", { name: "Fruit", exact: true }).click();
    await answers(page, ["1: red apples"]);
    await page.getByLabel("Search conversations").fill("PEARS");
    expect(await list(page)).toEqual(["green pears"]);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Delete “green pears”" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("Nothing found.").waitFor();
    await kept(page, ["Fruit"]);
    await page.reload();
    await page.getByRole("button", { name: "Fruit", exact: true }).waitFor();
    expect(await list(page)).toEqual(["Fruit"]);
  });

  it("go on from an edited question, from another answer, and from before", async () => {
    const page = await chat.open();
    await askAndWait(page, "one");
    await askAndWait(page, "two");
    await page.getByRole("button", { name: "Edit" }).last().click();
    await page.getByLabel("Edited question").fill("three");
    await page.keyboard.press("Enter");
    await page.getByText("2: three").first().waitFor();
    await finished(page);
    await answers(page, ["1: one", "2: three"]);
    await page.getByRole("button", { name: "Earlier version" }).click();
    await answers(page, ["1: one", "2: two"]);
    await page.getByRole("button", { name: "Answer again" }).first().click();
    await page.getByRole("group", { name: "Answer's actions" }).getByText("2/2").waitFor();
    await answers(page, ["1: one"]);
    await page.getByRole("button", { name: "Earlier version" }).click();
    await answers(page, ["1: one", "2: three"]);
  });

  it("are reached by keys alone", async () => {
    const page = await chat.open();
    await askAndWait(page, "one");
    await page.keyboard.press("Control+Shift+O");
    await page.getByText("Long thoughts, small memory").waitFor();
    await page.keyboard.press("Control+K");
    await page.keyboard.type("zebra");
    await page.getByText("Nothing found.").waitFor();
    await page.getByRole("button", { name: "Menu" }).focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog").getByText("Search conversations").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type("two");
    await page.keyboard.press("Enter");
    await finished(page);
    await answers(page, ["1: two"]);
  });

  it("branch into new ones that share what came before", async () => {
    const page = await chat.open();
    await askAndWait(page, "one");
    await askAndWait(page, "two");
    await page
      .getByRole("button", { name: /^Branch/ })
      .first()
      .click();
    await answers(page, ["1: one"]);
    await askAndWait(page, "other");
    await answers(page, ["1: one", "2: other"]);
    expect(await page.getByTestId("figures").last().innerText()).toMatch(/remembered/);
    await page.getByRole("button", { name: "one", exact: true }).click();
    await answers(page, ["1: one", "2: two"]);
  });

  it("are saved as Markdown, and as JSON with all branches", async () => {
    const page = await chat.open();
    await askAndWait(page, "one");
    await page.getByRole("button", { name: "Answer again" }).click();
    await page.getByText("2/2").waitFor();
    const saved = async (button: string): Promise<[Download, string]> => {
      await page.getByRole("button", { name: "Menu" }).click();
      const waiting = page.waitForEvent("download");
      await page.getByRole("button", { name: button }).click();
      const download = await waiting;
      return [download, await readFile(await download.path(), "utf8")];
    };
    const [markdown, text] = await saved("As Markdown");
    expect(markdown.suggestedFilename()).toBe("one.md");
    expect(text).toContain("# one\n\n## You\n\none\n\n## Model\n\n> I count.\n\n1: one");
    const [, json] = await saved("As JSON, with all branches");
    expect((JSON.parse(json) as { messages: unknown[] }).messages).toHaveLength(3);
  });
});
