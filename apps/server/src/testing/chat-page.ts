import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launchChromium } from "@levin/tooling/chromium";
import AxeSource from "axe-core";
import type { FastifyInstance } from "fastify";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import { builtPage } from "./built-page.ts";
import type { Answering } from "../create-server.ts";
import { createServer, type SecuritySettings } from "../index.ts";

export const screenshots = join(import.meta.dirname, "../../dist/screenshots");
export const viewports = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

/** A real server with the page built anew, and a browser in front of it. */
export class ChatPage {
  readonly address: string;
  readonly #app: FastifyInstance;
  readonly #browser: Browser;

  private constructor(app: FastifyInstance, address: string, browser: Browser) {
    this.#app = app;
    this.address = address;
    this.#browser = browser;
  }

  /**
   * @param answering a model, or other engines
   * @param browser arguments of Chromium
   */
  static async start(
    answering: Answering,
    security: SecuritySettings = {},
    browser?: readonly string[],
  ): Promise<ChatPage> {
    const pageDirectory = await builtPage();
    await mkdir(screenshots, { recursive: true });
    const app = createServer({ ...answering, pageDirectory, security });
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    return new ChatPage(app, address, await launchChromium(browser));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#app.close();
  }

  /** A visitor of its own: what it keeps is gone with it. */
  visitor(viewport = viewports.desktop): Promise<BrowserContext> {
    return this.#browser.newContext({ viewport });
  }

  /** Opens the page, and waits until it knows its model. */
  async open(viewport = viewports.desktop): Promise<Page> {
    return this.openAs(await this.visitor(viewport));
  }

  /** @param address by which the server is reached */
  async openAs(context: BrowserContext, address = this.address): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => expect.unreachable(`page error: ${error.message}`));
    await page.goto(address);
    await page.locator(".names strong").waitFor();
    return page;
  }
}

export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Your question").fill(question);
  await page.keyboard.press("Enter");
  // Drawn together with the question and the button that stops.
  await page.getByLabel("Your question").and(page.locator(":placeholder-shown")).waitFor();
}

export function finished(page: Page): Promise<void> {
  return page.getByRole("button", { name: "Send" }).waitFor({ timeout: 60_000 });
}

/** Waits until the browser keeps conversations of these titles, and no others. */
export async function kept(page: Page, titles: readonly string[]): Promise<void> {
  const read = async (): Promise<string[]> => {
    const request = indexedDB.open("levin-chats");
    await new Promise((resolve) => request.addEventListener("success", resolve));
    const all = request.result.transaction("conversations").objectStore("conversations").getAll();
    await new Promise((resolve) => all.addEventListener("success", resolve));
    request.result.close();
    return (all.result as { title: string }[]).map(({ title }) => title).toSorted();
  };
  await expect.poll(() => page.evaluate(read), { timeout: 30_000 }).toEqual(titles.toSorted());
}

/** What axe finds wrong; it comes in from outside, because the page's policy forbids foreign scripts. */
export function violations(page: Page): Promise<string[]> {
  return page.evaluate(`(() => { ${AxeSource.source}
    return axe.run().then((result) => result.violations.map((violation) => violation.id + ": " + violation.nodes[0].html)); })()`);
}

/** Pixels that the page is too wide. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
}
