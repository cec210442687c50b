import type { FastifyBaseLogger } from "fastify";
import { stdSerializers } from "pino";

/** The same logger, whose errors name files without the folders they lie in. */
export function tactfulLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  return logger.child({}, { serializers: { err: (error: Error) => withoutFolders(error) } });
}

function withoutFolders(error: Error): object {
  const { type, message, stack, ...rest } = stdSerializers.err(error);
  const { code } = rest as { code?: unknown };
  return { type, message: bare(message), stack: bare(stack), ...(code !== undefined && { code }) };
}

/** A beginning of an absolute path, as in errors and stack traces, and all its folders. */
const folders =
  /(?:file:\/\/(?:\/[A-Za-z]:)?|\b[A-Za-z]:|(?<![\w.:/\\]))(?:[\\/][^\s\\/:()'"`,]+)+[\\/]/g;

/** `/home/ada/levin/main.js:3:7` as `main.js:3:7`. */
function bare(text: string): string {
  return text.replaceAll(folders, "");
}
