import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

const amount = z.int().min(1).optional();

const keyLimitsSchema = z.object({
  requestsPerMinute: amount,
  /** Prompt and answer together. */
  tokensPerMinute: amount,
  /** Of a day in UTC. */
  tokensPerDay: amount,
  concurrentRequests: amount,
});

/** What one key may use; what is left open is not limited. */
export type KeyLimits = z.output<typeof keyLimitsSchema>;

/** What is kept of an API key: enough to know it again, not to use it. */
export const storedKeySchema = z.object({
  id: z.string().regex(/^key-[0-9a-f]{12}$/),
  name: z.string().min(1),
  /** SHA-256 of the key, in hex. A slow hash would add nothing: keys are 256 random bits. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** ISO 8601. */
  created: z.string(),
  revoked: z.string().optional(),
  limits: keyLimitsSchema,
});
export type StoredKey = z.output<typeof storedKeySchema>;

/** A new key, to be shown once, and what is kept of it. */
export function createKey(name: string, limits: KeyLimits): { key: string; stored: StoredKey } {
  const key = `levin-${randomBytes(32).toString("base64url")}`;
  const id = `key-${randomBytes(6).toString("hex")}`;
  return {
    key,
    stored: {
      id,
      name,
      hash: hashOf(key).toString("hex"),
      created: new Date().toISOString(),
      limits,
    },
  };
}

/** Fewer characters could be guessed over a network. */
const shortestKey = 16;

/**
 * A key that its owner chose, without limits.
 * @throws ApiKeyError when it is short enough to be guessed
 */
export function givenKey(key: string, name: string): StoredKey {
  if (key.length < shortestKey) {
    throw new ApiKeyError(
      `${name}: expected at least ${shortestKey} characters, found ${key.length}`,
    );
  }
  const hash = hashOf(key).toString("hex");
  return { id: "key-000000000000", name, hash, created: new Date().toISOString(), limits: {} };
}

/** The one of some keys that a client showed; takes as long whichever it is. */
export function findKey(shown: string, keys: readonly StoredKey[]): StoredKey | undefined {
  const hash = hashOf(shown);
  let found: StoredKey | undefined;
  for (const key of keys) if (timingSafeEqual(hash, Buffer.from(key.hash, "hex"))) found = key;
  return found;
}

function hashOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Raised for keys that cannot be made, found or read; says what to do. */
export class ApiKeyError extends Error {
  override readonly name = "ApiKeyError";
}
