/** What must happen at once in Redis, in Lua. */

/**
 * Stores the outcome of an item once, whoever does it again, and knows when all are there. Whatever
 * is known of a run is kept for so long from its last outcome on.
 * KEYS run, results, items; ARGV index, outcome, status, now, retention, endedKey, bytes
 */
export const recordOnce = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("HSETNX", KEYS[2], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call("HINCRBY", KEYS[1], ARGV[3], 1)
redis.call("HINCRBY", KEYS[1], "bytes:" .. ARGV[3], ARGV[7])
redis.call("HINCRBY", ARGV[6] .. redis.call("HGET", KEYS[1], "kind"), ARGV[3], 1)
if redis.call("HLEN", KEYS[2]) == tonumber(redis.call("HGET", KEYS[1], "total")) then
  redis.call("HSET", KEYS[1], "finishedAt", ARGV[4])
  redis.call("DEL", KEYS[3])
end
for _, key in ipairs(KEYS) do redis.call("EXPIRE", key, ARGV[5]) end
return 1`;

/**
 * Sets fields of a run that is there, unless the first of them is set already.
 * KEYS run; ARGV field, value, field, value …
 */
export const setOnce = `
if redis.call("EXISTS", KEYS[1]) == 0 then return 0 end
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 1 then return 0 end
redis.call("HSET", KEYS[1], unpack(ARGV))
return 1`;
