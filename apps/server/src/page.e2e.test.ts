import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import AxeSource from "axe-core";
import type { FastifyInstance } from "fastify";
import { chromium, type Browser, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, loadServedModel } from "./index.ts";

const executablePath = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));

if (!executablePath && process.env["CI"]) {
  throw new Error("expected a Chromium for the tests of the page (CHROMIUM_PATH), found none");
}

const screenshots = join(import.meta.dirname, "../dist/screenshots");
const viewports = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

describe.skipIf(!executablePath)("the chat page in Chromium", () => {
  let app: FastifyInstance;
  let browser: Browser;
  let address: string;

  beforeAll(async () => {
    await build({ root: join(import.meta.dirname, "../page"), logLevel: "error" });
    await mkdir(screenshots, { recursive: true });
    app = createServer(await loadServedModel());
    address = await app.listen({ port: 0, host: "127.0.0.1" });
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await app?.close();
  });

  async function openPage(viewport: { width: number; height: number }): Promise<Page> {
    const page = await browser.newPage({ viewport });
    page.on("pageerror", (error) => expect.unreachable(`page error: ${error.message}`));
    await page.goto(address);
    await page.getByText("spark", { exact: true }).waitFor();
    return page;
  }

  async function ask(page: Page, question: string): Promise<void> {
    await page.getByLabel("Your question").fill(question);
    await page.keyboard.press("Enter");
  }

  const finished = (page: Page): Promise<void> =>
    page.getByRole("button", { name: "Send" }).waitFor({ timeout: 60_000 });

  it.each(Object.entries(viewports))(
    "streams an answer with a folded thought on a %s",
    async (name, viewport) => {
      const page = await openPage(viewport);
      await page.screenshot({ path: join(screenshots, `${name}-welcome.png`) });
      await ask(page, "What is 12 plus 30?");
      await page.getByRole("button", { name: "Stop" }).waitFor();
      await finished(page);
      expect(await page.getByTestId("answer").innerText()).toMatch(/\S/);
      expect(await page.getByTestId("figures").innerText()).toMatch(/\d+ tokens · \d+ tokens\/s/);
      const thought = page.locator("details.thought");
      expect(await thought.getAttribute("open")).toBeNull();
      expect(await page.getByTestId("thought-tokens").innerText()).toMatch(/[1-9]\d* tokens/);
      await thought.locator("summary").click();
      expect(await thought.locator("pre").innerText()).toMatch(/\S/);
      await page.screenshot({ path: join(screenshots, `${name}-answer.png`) });
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
      await page.close();
    },
  );

  it("keeps the thought within the slider's budget", async () => {
    const page = await openPage(viewports.desktop);
    await page.getByRole("slider").fill("1");
    await ask(page, "What is 4821 plus 3977?");
    await finished(page);
    expect(await page.getByTestId("thought-tokens").innerText()).toBe("16 tokens");
    await page.close();
  });

  it("stops at once, and then answers the next question", async () => {
    const page = await openPage(viewports.desktop);
    await ask(page, "Sort from smallest to largest: 42, 7, 19, 23, 11, 35, 28.");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped.").waitFor();
    await ask(page, "What is 1 plus 1?");
    await finished(page);
    expect(await page.getByTestId("answer").last().innerText()).toMatch(/\S/);
    await page.getByRole("button", { name: "New chat" }).click();
    await page.getByText("Long thoughts, small memory").waitFor();
    await page.close();
  });

  it("has no accessibility violations that axe knows, in light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await openPage(viewports.phone);
      await page.emulateMedia({ colorScheme });
      await ask(page, "What is 2 plus 2?");
      await finished(page);
      // The page's own policy forbids foreign scripts, so axe comes in from outside.
      const violations = await page.evaluate(`(() => { ${AxeSource.source}
        return axe.run().then((result) => result.violations.map((violation) => violation.id + ": " + violation.nodes[0].html)); })()`);
      expect(violations).toEqual([]);
      await page.close();
    }
  });
});
