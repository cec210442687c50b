import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { chromiumPath } from "@levin/tooling/chromium";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  answers,
  ask,
  ChatPage,
  finished,
  overflow,
  screenshots,
  viewports,
  violations,
} from "./testing/chat-page.ts";
import { scriptedModel } from "./testing/scripted-model.ts";

const call = (name: string, values: object): string =>
  `{"name": ${JSON.stringify(name)}, "arguments": ${JSON.stringify(values)}}`;

/** Calls tools that it is told of, says what they said, and never stops where it is asked to. */
function script(conversation: string): string {
  const turn = conversation.slice(conversation.lastIndexOf("user name=user"));
  const results = [...turn.matchAll(/tool result: (.*)/g)].map(([, result]) => result!);
  const calls = (...written: string[]): string =>
    `<think>\nA tool knows.\n</think>\n\n<tool_calls>\n${written.join("\n")}\n</tool_calls>`;
  const asked = (what: string): boolean => turn.includes(what) && conversation.includes("<tools>");
  if (asked("forever")) return calls(call("calculate", { expression: `${results.length} + 1` }));
  if (results.length > 0)
    return `<think>\nI see.\n</think>\n\nThe tools say ${results.join("; ")}.`;
  if (asked("divide")) return calls(call("calculate", { expression: "1 / 0" }));
  if (asked("weather"))
    return calls(call("weather", { city: "Oslo" }), call("calculate", { expression: "2 ^ 10" }));
  if (asked("12 / 8")) return calls(call("calculate", { expression: "(12 / 8) ^ 3" }));
  return "<think>\nNo tools.\n</think>\n\nI know no tool for that.";
}

const weather = { name: "weather", description: "Weather of a city.", parameters: {} };

describe.skipIf(!chromiumPath)("tools of the chat page", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    await selectBackend("cpu");
    chat = await ChatPage.start(scriptedModel(script, { context: 16_384 }));
  });
  afterAll(() => chat?.close());

  const openTools = (page: Page): Promise<void> =>
    page.getByRole("button", { name: /^Tools/ }).click();
  const turnOn = async (page: Page, tool: string): Promise<void> => {
    await openTools(page);
    await page.getByLabel(tool).check();
    await page.getByRole("button", { name: "Done" }).click();
  };
  const focused = (page: Page, role: "button" | "checkbox", name: RegExp): Promise<void> =>
    page.getByRole(role, { name }).and(page.locator(":focus")).waitFor();

  it("are told to the model when they are on, run by themselves, and kept with the chat", async () => {
    let page = await chat.open();
    await ask(page, "What is (12 / 8) ^ 3?");
    await finished(page);
    await answers(page, ["I know no tool for that."]);

    // By keys alone.
    await page.getByRole("button", { name: "Tools" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await focused(page, "checkbox", /^Calculator/);
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await focused(page, "button", /^Tools, 1 on$/);
    await page.getByRole("button", { name: "Answer again" }).click();
    await page.getByText("The tools say 3.375.").first().waitFor();
    await finished(page);
    const called = page.getByTestId("tool-call");
    expect(await called.getAttribute("open")).toBeNull();
    expect(await called.locator("summary").innerText()).toMatch(/^calculate\s+3\.375$/);
    expect(await violations(page)).toEqual([]);
    await called.locator("summary").focus();
    await page.keyboard.press("Enter");
    expect(await called.locator("pre").allInnerTexts()).toEqual([
      '{\n  "expression": "(12 / 8) ^ 3"\n}',
      "3.375",
    ]);
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: join(screenshots, "desktop-tools.png") });
    await page.close();

    page = await chat.openAs(page.context());
    await page.getByRole("button", { name: "What is (12 / 8) ^ 3?", exact: true }).click();
    await answers(page, ["The tools say 3.375."]);
    await page.getByTestId("tool-call").waitFor();
    await ask(page, "Please divide");
    await page.getByText("The tools say error: cannot divide by zero.").first().waitFor();
    await page.setViewportSize(viewports.phone);
    await page.locator(".sidebar:not(.open)").waitFor({ state: "attached" });
    await page.screenshot({ path: join(screenshots, "phone-tools.png") });
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
  });

  it("of one's own are taken as JSON, and one gives their results beside those of the page", async () => {
    const page = await chat.open();
    await turnOn(page, "Calculator");
    await openTools(page);
    const field = page.getByLabel(/^Your own, as JSON/);
    const add = page.getByRole("button", { name: "Add", exact: true });
    for (const [text, problem] of [
      ["{", /^expected JSON: /],
      [
        '{"name": "my tool"}',
        'expected a name of 1 to 64 letters, digits, _ or -, found "my tool"',
      ],
      ['{"name": "calculate"}', "calculate: expected another name, this is a tool of the page"],
    ] as const) {
      await field.fill(text);
      await add.click();
      await page.getByRole("alert").getByText(problem).waitFor();
    }
    expect(await violations(page)).toEqual([]);
    await page.screenshot({ path: join(screenshots, "desktop-tool-panel.png") });
    await field.fill(JSON.stringify([{ type: "function", function: weather }]));
    await add.click();
    await page.getByRole("checkbox", { name: /^weather/ }).waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
    await page.keyboard.press("Escape");

    const sent = page.waitForRequest("**/v1/chat/completions");
    await ask(page, "How is the weather?");
    const { tools } = (await sent).postDataJSON() as { tools: { function: { name: string } }[] };
    expect(tools.map((tool) => tool.function.name)).toEqual(["calculate", "weather"]);
    const form = page.getByRole("form", { name: "Results of the tools" });
    await form.getByLabel("Result of weather").fill("rain");
    expect(await form.getByLabel("Result of calculate").inputValue()).toBe("1024");
    expect(await violations(page)).toEqual([]);
    await form.getByRole("button", { name: "Give to the model" }).click();
    await page.getByText("The tools say rain; 1024.").first().waitFor();
    expect(await form.count()).toBe(0);

    await openTools(page);
    await page.getByRole("button", { name: "Remove weather" }).click();
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Tools, 1 on" }).waitFor();
  });

  it("go on in both columns of a comparison", async () => {
    const page = await chat.open();
    await turnOn(page, "Calculator");
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("No thinking | 512 tokens").click();
    await page.keyboard.press("Escape");
    await ask(page, "What is (12 / 8) ^ 3?");
    for (const name of ["No thinking", "Up to 512 tokens of thought"]) {
      const column = page.getByRole("article", { name });
      await column.getByTestId("answer").getByText("The tools say 3.375.").waitFor();
      expect(await column.getByTestId("tool-call").count()).toBe(1);
    }
  });

  it("are left to whoever chats when the model does not stop calling", async () => {
    const page = await chat.open();
    await turnOn(page, "Calculator");
    await ask(page, "Count forever");
    const form = page.getByRole("form", { name: "Results of the tools" });
    await form.waitFor();
    expect(await page.getByTestId("tool-call").count()).toBe(9);
    expect(await form.getByLabel("Result of calculate").inputValue()).toBe("9");
  });
});
