import { join } from "node:path";
import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadServedModel, type LoadedModel } from "./index.ts";
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
  let served: LoadedModel;
  beforeAll(async () => {
    served = await loadServedModel();
    chat = await ChatPage.start(served);
  });
  afterAll(() => chat?.close());

  it("shows answers without and with thinking side by side, and the state against softmax", async () => {
    const page = await chat.open();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByLabel("No thinking | 512 tokens").click();
    await page.getByLabel("Lightning | softmax cost").click();
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
    expect(await quick.getByTestId("figures").innerText()).toMatch(
      /\d+ tokens?[^]* MFLOP[^]*state \d+ KiB/,
    );
    await thoughtful.getByRole("button", { name: "Continue with this one" }).click();
    // One softmax layer of eight; 56 KiB are the lightning layers'.
    const rows = await page.locator(".memory tbody tr").allInnerTexts();
    const [state, longState, work, longWork] = rows.map((row) => row.split("\t"));
    const tokens = Number(/\d+/.exec(state![0]!)![0]);
    expect(state!.slice(1, 3)).toEqual([`${Math.round(56 + tokens / 8)} KiB`, `${tokens} KiB`]);
    expect(longState!.slice(0, 3)).toEqual(["State 65,536 tokens", "8.1 MiB", "64 MiB"]);
    expect(work![1]).toMatch(/^[\d.,]+ [MG]FLOP$/);
    const { flops, softmax_twin_flops: twinFlops } = served.description!;
    const whole = (of: typeof flops): number =>
      65_536 * (of.per_token + (of.per_context_token * 65_537) / 2);
    expect(longWork!.at(-1)).toBe(`${Math.round((100 * whole(flops)) / whole(twinFlops))} %`);
    await page.screenshot({ path: join(screenshots, "desktop-compare.png") });
    expect(await violations(page)).toEqual([]);
    await page.setViewportSize(viewports.phone);
    await page.screenshot({ path: join(screenshots, "phone-compare.png") });
    expect(await overflow(page)).toBe(0);
  });
});
