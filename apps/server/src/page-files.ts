import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic, { type FastifyStaticOptions } from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Where the build puts the chat page; the same from `src` and from `dist`. */
export const builtPageDirectory = fileURLToPath(new URL("../dist/page/", import.meta.url));

/**
 * The worker with the model starts threads of tfjs, whose code is in a `blob:`; it has a policy of its
 * own, so that the page does not need that.
 */
const workerPolicy =
  "default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'";

/** Serves a built page at `/`; `securityHeaders` goes with it. */
export function pageFiles(app: FastifyInstance, directory: string): void {
  void app.register(async (page) => {
    page.addHook("onRoute", (route) => {
      route.config = { ...route.config, isPublic: true };
    });
    if (existsSync(directory)) await page.register(fastifyStatic, filesOf(directory));
    else
      page.get("/", (_, reply) => reply.code(503).type("text/plain; charset=utf-8").send(unbuilt));
  });
}

const unbuilt = "The page is not built yet: run the build of this package.\n";

function filesOf(directory: string): FastifyStaticOptions {
  return {
    root: directory,
    // Routes of existing files only, so that unknown ones get the API's error form.
    wildcard: false,
    setHeaders: (reply, path) => {
      if (/\.worker-[^\\/]*\.js$/.test(path)) {
        void reply.header("content-security-policy", workerPolicy);
      }
      // File names in assets/ carry a hash of their content.
      const isHashed = /[\\/]assets[\\/]/.test(path);
      const caching = isHashed ? "public, max-age=31536000, immutable" : "no-cache";
      void reply.header("cache-control", caching);
    },
  };
}
