import type { FastifyInstance } from "fastify";
import helmet from "helmet";

/**
 * Headers of every reply. The page loads its own files only, runs WebAssembly and workers, may not
 * be framed, and is isolated across origins, which is what shared memory of threads needs.
 */
export function securityHeaders(app: FastifyInstance): void {
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "worker-src": ["'self'", "blob:"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
      },
    },
    crossOriginEmbedderPolicy: true,
    xFrameOptions: { action: "deny" },
    referrerPolicy: { policy: "no-referrer" },
    // For whoever ends TLS: this server speaks plain HTTP.
    strictTransportSecurity: false,
  });
  app.addHook("onRequest", ({ raw: request }, { raw: reply }, done) => {
    setHeaders(request, reply, done as () => void);
  });
}
