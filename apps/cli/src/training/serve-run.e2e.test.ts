import { once } from "node:events";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromiumPath, launchChromium } from "@levin/tooling/chromium";
import AxeSource from "axe-core";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { levinArguments, repository } from "../testing/run-levin.ts";
import { tinyRecipe } from "../testing/tiny-recipe.ts";
import { serveRun } from "./serve-run.ts";

const screenshots = join(import.meta.dirname, "../../dist/screenshots");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-run-"));
  await build({ root: join(import.meta.dirname, "../../page"), logLevel: "error" });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("serveRun", () => {
  it("gives whole lines behind a byte, and begins anew when the log was cut", async () => {
    const server = await serveRun(folder, 0);
    const path = join(folder, "metrics.jsonl");
    const read = async (from: number): Promise<unknown> =>
      (await fetch(`${server.url}/metrics?from=${from}`)).json();
    try {
      expect(await read(0)).toEqual({ lines: [], from: 0, next: 0 });
      await writeFile(path, '{"a":1}\n{"b":2}\n{"hal');
      expect(await read(0)).toEqual({ lines: ['{"a":1}', '{"b":2}'], from: 0, next: 16 });
      expect(await read(16)).toEqual({ lines: [], from: 16, next: 16 });
      await truncate(path, 8);
      expect(await read(16)).toEqual({ lines: ['{"a":1}'], from: 0, next: 8 });
      expect(await read(NaN)).toMatchObject({ from: 0 });
    } finally {
      await rm(path);
      await server.close();
    }
  });

  it("answers this machine's own names alone, under a strict policy", async () => {
    const server = await serveRun(folder, 0);
    const status = (host: string): Promise<number | undefined> =>
      new Promise((done) =>
        request(server.url, { headers: { host } }, ({ statusCode }) => done(statusCode)).end(),
      );
    try {
      expect(new URL(server.url).hostname).toBe("127.0.0.1");
      expect(await status(new URL(server.url).host)).toBe(200);
      expect(await status("evil.example")).toBe(403);
      const { headers } = await fetch(server.url);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'/);
      await expect(serveRun(folder, Number(new URL(server.url).port))).rejects.toThrow(
        /EADDRINUSE/,
      );
    } finally {
      await server.close();
    }
  });
});

describe.skipIf(!chromiumPath)("the page of a training in Chromium", { timeout: 180_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    await mkdir(screenshots, { recursive: true });
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it("shows curves and samples while levin trains, and of a run that has ended", async () => {
    const recipe = join(folder, "recipe.json");
    const evaluation = { every: 3, problemsPerTask: 1, maxNewTokens: 8, samples: 2 };
    const slow = { ...tinyRecipe, evaluation, steps: 100_000, examplesPerStep: 100 };
    await writeFile(recipe, JSON.stringify(slow));
    const output = join(folder, "run");
    const args = levinArguments("train", recipe, "--output", output, "--live", "0");
    const child = spawn(process.execPath, args, { cwd: repository });
    const [line] = (await once(child.stderr, "data")) as [Buffer];
    const url = /^levin: this training is shown at (http:\S+)\n/.exec(line.toString())![1]!;
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
    page.setDefaultTimeout(120_000);
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(url);
    const figures = page.locator("#figures");
    await figures.getByText(/^Step \d+ · loss \d\.\d+ · \d+ tokens\/s$/).waitFor();
    const first = await figures.innerText();
    await page
      .locator("#samples li")
      .filter({ hasText: /step \d+ · tasks/ })
      .first()
      .waitFor();
    await page.waitForFunction(
      (before) => document.querySelector("#figures")!.textContent !== before,
      first,
    );
    expect(await page.locator("canvas").count()).toBe(4);
    const drawn = await page
      .locator("canvas")
      .first()
      .evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
      });
    expect(drawn).toBe(true);
    await page.screenshot({ path: join(screenshots, "training.png"), fullPage: true });
    await page.evaluate(AxeSource.source);
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: typeof AxeSource }).axe.run(),
    );
    expect(violations.map(({ id }) => id)).toEqual([]);
    expect(errors).toEqual([]);
    child.kill("SIGINT");
    await once(child, "close");
    await figures.getByText("not connected").waitFor();

    const plot = spawn(process.execPath, levinArguments("plot", output, "--port", "0"));
    const [said] = (await once(plot.stdout, "data")) as [Buffer];
    await page.goto(/(http:\S+)\n/.exec(said.toString())![1]!);
    await figures.getByText(/^Step \d+ · loss/).waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    await page.screenshot({ path: join(screenshots, "training-phone.png"), fullPage: true });
    await page.close();
    plot.kill("SIGINT");
    expect(await once(plot, "close")).toEqual([0, null]);
  });
});
