import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { launchChromium } from "../chromium.ts";

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves a folder with an `index.html` and waits in Chromium for what its script leaves in `result`. */
export async function resultOfPage(folder: string): Promise<unknown> {
  const server = createServer(({ url = "/" }, response) => {
    const path = url === "/" ? "/index.html" : new URL(url, "http://page").pathname;
    readFile(join(folder, path)).then(
      (file) => {
        response.setHeader("Content-Type", types[extname(path)] ?? "application/octet-stream");
        response.end(file);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await Promise.race([failed, page.waitForFunction("globalThis.result !== undefined")]);
    return await page.evaluate("globalThis.result");
  } finally {
    await browser.close();
    server.close();
  }
}
