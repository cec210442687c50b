import { selectBackend } from "@levin/kernels/node";
import { chromiumPath } from "@levin/tooling/chromium";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { answers, ask, ChatPage, finished } from "./testing/chat-page.ts";
import { HeldEngine } from "./testing/held-engine.ts";
import { scriptedModel } from "./testing/scripted-model.ts";

/** Says which question it was asked last, and how many there were. */
const echo = (conversation: string): string => {
  const asked = [...conversation.matchAll(/user name=user\n(.*?)(?=<end_of_sentence>)/gs)];
  return `<think>\nI count.\n</think>\n\n${asked.length}: ${asked.at(-1)?.[1]}`;
};

describe.skipIf(!chromiumPath)("two tabs of the chat page", () => {
  let chat: ChatPage;
  let engine: HeldEngine;
  let visitor: BrowserContext;
  let one: Page;
  let other: Page;
  /** First question of the conversation that both show, and its name. */
  let start: string;
  let conversations = 0;
  beforeAll(async () => {
    await selectBackend("cpu");
    const served = scriptedModel(echo);
    engine = new HeldEngine(served);
    chat = await ChatPage.start({ ...served, engine });
    visitor = await chat.visitor();
  });
  afterAll(() => chat?.close());
  beforeEach(async () => {
    const [first, second] = visitor.pages();
    one = first ?? (await chat.openAs(visitor));
    await one.getByRole("button", { name: "New chat" }).click();
    start = `start ${++conversations}`;
    await ask(one, start);
    await finished(one);
    other = second ?? (await chat.openAs(visitor));
    await open(other, start);
    await answered(other, `1: ${start}`);
    // The end of an answer comes after its last word.
    await finished(other);
  });
  afterEach(() => engine.letGo());

  const open = (page: Page, name: string): Promise<void> =>
    page.getByRole("button", { name, exact: true }).click();

  const answered = (page: Page, text: string): Promise<void> =>
    page.getByTestId("answer").getByText(text, { exact: true }).waitFor();

  it("show what the other one asks and hears, and go on from there", async () => {
    await ask(one, "next");
    await answered(other, "2: next");
    await finished(other);
    await ask(other, "last");
    await answered(one, "3: last");
    await answers(one, [`1: ${start}`, "2: next", "3: last"]);
  });

  it("stop an answer of the other one, and tell its end when that one is closed", async () => {
    // In the midst of the story, behind the thought.
    engine.hold(24);
    await ask(one, "a long story");
    await other.getByTestId("answer").getByText("2: a").waitFor();
    await other.getByRole("button", { name: "Stop" }).click();
    await one.locator(".note").getByText("Stopped.").waitFor();
    await other.locator(".note").getByText("Stopped.").waitFor();

    await ask(one, "another story");
    await other.getByTestId("answer").getByText("3: a").waitFor();
    await one.close();
    await other.locator(".note").getByText("Stopped.").nth(1).waitFor();
    await finished(other);
  });

  it("have the other one's new names, new conversations, and none that it deletes", async () => {
    await one.getByRole("button", { name: `Rename “${start}”` }).click();
    await one.getByLabel("Name of the conversation").fill("Renamed");
    await one.keyboard.press("Enter");
    await other.getByRole("button", { name: "Renamed", exact: true }).waitFor();
    await one.getByRole("button", { name: "New chat" }).click();
    await ask(one, "second");
    await other.getByRole("button", { name: "second", exact: true }).waitFor();
    await one.getByRole("button", { name: "Delete “Renamed”" }).click();
    await one.getByRole("button", { name: "Delete", exact: true }).click();
    await other.getByText("Long thoughts, small memory").waitFor();
    const names = await other.locator(".chat-item .title").allInnerTexts();
    expect(names).toContain("second");
    expect(names).not.toContain("Renamed");
    await ask(other, "third");
    await answered(other, "1: third");
  });

  it("delete nothing that a slow one has read but not drawn yet", async () => {
    const slow = await visitor.newPage();
    // Effects come long after the conversations were read, writes as ever.
    await slow.addInitScript(() => {
      const later = setTimeout;
      const effects = 35;
      window.requestAnimationFrame = () => 0;
      window.setTimeout = ((act: () => void, delay = 0) =>
        later(act, delay === effects ? 2000 : delay)) as typeof setTimeout;
    });
    // Nothing else has it drawn again.
    await slow.route("**/v1/**", () => {});
    await slow.goto(chat.address);
    await slow.getByRole("button", { name: start, exact: true }).waitFor();
    // As a visitor who reloads at once.
    await slow.evaluate(() => dispatchEvent(new Event("pagehide")));
    await slow.waitForTimeout(200);
    await slow.close();
    const later = await chat.openAs(visitor);
    await later.getByRole("button", { name: start, exact: true }).waitFor();
    await one.getByRole("button", { name: start, exact: true }).waitFor();
  });

  it("keep what each of them has set", async () => {
    await one.getByRole("button", { name: "Tools" }).click();
    await one.getByLabel("Calculator").check();
    await other.getByRole("slider").fill("0");
    const later = await chat.openAs(visitor);
    await later.getByRole("button", { name: "Tools, 1 on" }).waitFor();
    expect(await later.getByRole("slider").inputValue()).toBe("0");
  });

  it("lose nothing when both ask at once: the questions are versions of each other", async () => {
    // Neither tells the other before both have asked.
    const { clock } = visitor;
    await clock.install();
    await clock.pauseAt(Date.now() + 60_000);
    await Promise.all([ask(one, "left"), ask(other, "right")]);
    await Promise.all([answered(one, "2: left"), answered(other, "2: right")]);
    await clock.resume();
    // Each knows of the other's by now, and still shows its own.
    for (const page of [one, other])
      await page.getByText("2/2").or(page.getByText("1/2")).waitFor();
    await answers(one, [`1: ${start}`, "2: left"]);
    await answers(other, [`1: ${start}`, "2: right"]);
    await one.close();
    await other.close();

    const later = await chat.openAs(visitor);
    await open(later, start);
    const question = later.getByRole("article", { name: "Question" }).last();
    const versions = new Set<string>();
    for (const leaf of ["Earlier version", "Later version"]) {
      const button = question.getByRole("button", { name: leaf });
      if (await button.isEnabled()) await button.click();
      versions.add(await later.getByTestId("answer").last().innerText());
    }
    expect([...versions].toSorted()).toEqual(["2: left", "2: right"]);
  });
});
