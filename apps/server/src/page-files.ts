import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Where the build puts the chat page; the same from `src` and from `dist`. */
export const builtPageDirectory = fileURLToPath(new URL("../dist/page/", import.meta.url));

/** The page loads its own files only, and may not be framed. */
const securityHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Serves a built page at `/`, under a strict content security policy. */
export function pageFiles(app: FastifyInstance, directory: string): void {
  if (!existsSync(directory)) {
    const text = "The page is not built yet: run the build of this package.\n";
    app.get("/", (_, reply) => reply.code(503).type("text/plain; charset=utf-8").send(text));
    return;
  }
  void app.register(fastifyStatic, {
    root: directory,
    // Routes of existing files only, so that unknown ones get the API's error form.
    wildcard: false,
    setHeaders: (reply, path) => {
      for (const [name, value] of Object.entries(securityHeaders)) void reply.header(name, value);
      // File names in assets/ carry a hash of their content.
      const isHashed = /[\\/]assets[\\/]/.test(path);
      const caching = isHashed ? "public, max-age=31536000, immutable" : "no-cache";
      void reply.header("cache-control", caching);
    },
  });
}
