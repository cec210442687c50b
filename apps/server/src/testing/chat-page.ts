import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launchChromium } from "@levin/tooling/chromium";
import AxeSource from "axe-core";
import type { FastifyInstance } from "fastify";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect, vi } from "vitest";
import { builtPage } from "./built-page.ts";
import type { Answering } from "../create-server.ts";
import { createServer, type SecuritySettings } from "../index.ts";

export const screenshots = join(import.meta.dirname, "../../dist/screenshots");
export const viewports = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

/** Milliseconds for whatever is waited for: a browser on a busy machine takes its time. */
const patience = 120_000;
vi.setConfig({ testTimeout: 2 * patience, hookTimeout: patience });

/** A real server with the page built anew, and a browser in front of it. */
export class ChatPage {
  readonly address: string;
  readonly #app: FastifyInstance;
  readonly #browser: Browser;
  readonly #serviceWorkers: "allow" | "block";
  #newcomer: Promise<BrowserContext> | undefined;

  private constructor(
    app: FastifyInstance,
    address: string,
    browser: Browser,
    serviceWorkers: "allow" | "block",
  ) {
    this.#app = app;
    this.address = address;
    this.#browser = browser;
    this.#serviceWorkers = serviceWorkers;
  }

  /**
   * @param answering a model, or other engines
   * @param browser arguments of Chromium, and whether the page keeps itself for times without its
   *   server, which takes as long as all else when it is opened
   */
  static async start(
    answering: Answering,
    security: SecuritySettings = {},
    browser: { args?: readonly string[]; serviceWorkers?: "allow" | "block" } = {},
  ): Promise<ChatPage> {
    const pageDirectory = await builtPage();
    await mkdir(screenshots, { recursive: true });
    const app = createServer({ ...answering, pageDirectory, security });
    const address = await app.listen({ port: 0, host: "127.0.0.1" });
    const { args, serviceWorkers = "block" } = browser;
    return new ChatPage(app, address, await launchChromium(args), serviceWorkers);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#app.close();
  }

  /** A visitor of its own: what it keeps is gone with it. */
  async visitor(): Promise<BrowserContext> {
    const serviceWorkers = this.#serviceWorkers;
    const context = await this.#browser.newContext({
      viewport: viewports.desktop,
      serviceWorkers,
    });
    context.setDefaultTimeout(patience);
    return context;
  }

  /**
   * Opens the page as for someone who was never there, and waits until it knows its model. Whoever
   * came so before is gone; only the browser's cache of the page's files stays.
   */
  async open(viewport = viewports.desktop): Promise<Page> {
    const context = await (this.#newcomer ??= this.visitor());
    await Promise.all(context.pages().map((page) => page.close()));
    const page = await context.newPage();
    await page.setViewportSize(viewport);
    const devtools = await context.newCDPSession(page);
    const storageTypes = "indexeddb,local_storage";
    await devtools.send("Storage.clearDataForOrigin", { origin: this.address, storageTypes });
    return this.#ready(page, this.address);
  }

  /** @param address by which the server is reached */
  async openAs(context: BrowserContext, address = this.address): Promise<Page> {
    return this.#ready(await context.newPage(), address);
  }

  async #ready(page: Page, address: string): Promise<Page> {
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
  return page.getByRole("button", { name: "Send" }).waitFor();
}

/** Waits until these answers are shown, and no others. */
export async function answers(page: Page, texts: readonly string[]): Promise<void> {
  const shown = (): Promise<string[]> => page.getByTestId("answer").allInnerTexts();
  await expect.poll(shown, { timeout: patience }).toEqual(texts);
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
  await expect.poll(() => page.evaluate(read), { timeout: patience }).toEqual(titles.toSorted());
}

/** What axe finds wrong; it comes in from outside, because the page's policy forbids foreign scripts. */
export function violations(page: Page): Promise<string[]> {
  return page.evaluate(`(() => { ${AxeSource.source}
    return axe.run({ resultTypes: ["violations"] }).then((result) => result.violations.map((violation) => violation.id + ": " + violation.nodes[0].html)); })()`);
}

/** Pixels that the page is too wide. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
}
