import type { FastifyBaseLogger } from "fastify";
import { Redis, type RedisOptions } from "ioredis";

/** Raised when Redis can't be reached, at the start or when what needs it can't wait; its message holds no password. */
export class RedisUnavailableError extends Error {
  override readonly name = "RedisUnavailableError";
}

/**
 * Connects to Redis and makes sure that it answers; later losses of the connection are mended.
 *
 * @param options of ioredis, beside the address
 * @throws RedisUnavailableError
 */
export async function openRedis(
  url: string,
  logger?: FastifyBaseLogger,
  options: RedisOptions = {},
): Promise<Redis> {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    throw new RedisUnavailableError("expected an address such as redis://127.0.0.1:6379 of Redis");
  }
  const redis = new Redis(url, { maxRetriesPerRequest: 1, ...options, lazyConnect: true });
  // Without a listener the loss of a connection would end the process.
  redis.on("error", (error: Error) =>
    logger?.warn({ err: error }, "the connection to Redis failed"),
  );
  try {
    await redis.connect();
    await redis.ping();
    return redis;
  } catch (error) {
    redis.disconnect();
    const { hostname, port } = new URL(url);
    throw new RedisUnavailableError(
      `cannot reach Redis at ${hostname}:${port || 6379}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
