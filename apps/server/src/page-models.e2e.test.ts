import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quantizeCheckpoint } from "@levin/model/node";
import { sparkDirectory } from "@levin/spark";
import { chromiumPath } from "@levin/tooling/chromium";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServer, loadServedModel } from "./index.ts";
import {
  ask,
  ChatPage,
  finished,
  overflow,
  screenshots,
  viewports,
  violations,
} from "./testing/chat-page.ts";
import { Upstreams } from "./upstream/upstreams.ts";

describe.skipIf(!chromiumPath)(
  "the chat page before two servers, spark and spark in 8 bits",
  () => {
    let directory: string;
    let servers: FastifyInstance[];
    let chat: ChatPage;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "levin-page-"));
      const spark = fileURLToPath(sparkDirectory);
      await quantizeCheckpoint(spark, directory, { bits: 8 });
      for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
        await copyFile(join(spark, name), join(directory, name));
      }
      servers = [
        createServer(await loadServedModel()),
        createServer(await loadServedModel({ model: directory, modelId: "spark-int8" })),
      ];
      const urls = await Promise.all(servers.map((server) => server.listen({ port: 0 })));
      chat = await ChatPage.start({ upstreams: await Upstreams.start({ urls }) });
    });
    afterAll(async () => {
      await chat?.close();
      await Promise.all((servers ?? []).map((server) => server.close()));
      await rm(directory, { recursive: true, force: true });
    });

    it("asks the model that is chosen, and both at once to compare them", async () => {
      const page = await chat.open();
      const menu = page.getByRole("button", { name: "Menu" });
      expect(await page.locator(".names strong").innerText()).toBe("spark");
      await menu.click();
      await page.getByLabel("spark-int8").check();
      await page.locator(".names strong").getByText("spark-int8").waitFor();
      await page.keyboard.press("Escape");
      const request = page.waitForRequest("**/v1/chat/completions");
      await ask(page, "What is 12 plus 30?");
      expect((await request).postDataJSON()).toMatchObject({ model: "spark-int8" });
      await finished(page);
      expect(await page.getByTestId("answer").innerText()).toBe("42");

      await menu.click();
      await page.getByLabel("Two models").check();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "New chat" }).click();
      // Kept out of spark's training.
      await ask(page, "What is 6284 + 2967?");
      await finished(page);
      const columns = page.locator(".compared").getByRole("article");
      expect(await columns.locator(".label").allInnerTexts()).toEqual(["spark-int8", "spark"]);
      expect(await columns.getByTestId("answer").allInnerTexts()).toEqual(["9251", "9251"]);
      for (const figures of await columns.getByTestId("figures").allInnerTexts()) {
        expect(figures).toMatch(/\d+ tokens[^]*state \d+ KiB/);
      }
      expect(await violations(page)).toEqual([]);
      await page.screenshot({ path: join(screenshots, "desktop-models.png") });

      // The conversation goes on with one of them, and both answer the next question.
      await columns.last().getByRole("button", { name: "Continue with this one" }).click();
      await columns.first().getByRole("button", { name: "Continue with this one" }).waitFor();
      await page.setViewportSize(viewports.phone);
      await page.locator(".sidebar:not(.open)").waitFor({ state: "attached" });
      await page.screenshot({ path: join(screenshots, "phone-models.png") });
      expect(await overflow(page)).toBe(0);
    });
  },
);
