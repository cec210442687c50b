import { redisServerPath, startRedis } from "@levin/tooling/redis-server";
import { expect, it } from "vitest";
import { RedisCrew } from "./redis-crew.ts";

it.skipIf(!redisServerPath())("a crew says which Redis it has lost, and ends", async () => {
  const redis = await startRedis();
  const notices: string[] = [];
  const crew = await RedisCrew.open({
    ...{ url: redis.url, kind: "evaluation-of-nobody" },
    onNotice: (text) => {
      notices.push(text);
      // It waits for workers now.
      void redis.stop();
    },
  });
  const piece = { work: "reply" as const, chats: [], options: {} };
  await expect(crew.perform([piece]).next()).rejects.toMatchObject({
    name: "RedisUnavailableError",
    message: expect.stringMatching(/^lost Redis at 127\.0\.0\.1:\d+; once it is back, the same/),
  });
  expect(notices).toHaveLength(1);
  await crew.close();
});
