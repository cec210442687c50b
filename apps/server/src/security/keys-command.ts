import { parseArgs } from "node:util";
import { flagAmount } from "../flag-amount.ts";
import { defaultKeyDirectory, usageOf } from "./access.ts";
import { ApiKeyError, type KeyLimits, type StoredKey } from "./api-key.ts";
import { KeyFolder } from "./key-folder.ts";

/** How to use `keys`. */
const keysUsage = `keys add NAME         makes an API key and shows it, once
  --requests-per-minute N, --tokens-per-minute N, --tokens-per-day N, --concurrent-requests N
                      limits it (tokens of prompt and answer; days in UTC)
keys list             names, ids and limits
keys revoke NAME|ID   ends a key; a server that runs refuses it at once
keys usage [NAME|ID]  what keys used, in all and today
  --json              as JSON (list and usage)
  --keys DIR          folder of the keys (default: LEVIN_KEYS or ~/.levin/keys)`;

const options = {
  keys: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
  "requests-per-minute": { type: "string" },
  "tokens-per-minute": { type: "string" },
  "tokens-per-day": { type: "string" },
  "concurrent-requests": { type: "string" },
} as const;

type LimitFlag = Exclude<keyof typeof options, "keys" | "json" | "help">;
type Flags = ReturnType<typeof parse>["values"];

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

/**
 * Runs `keys add|list|revoke|usage`.
 * @param args what follows `keys`
 * @returns what to print
 * @throws ApiKeyError, and Error for wrong flags
 */
export function runKeysCommand(args: readonly string[]): string {
  const { values, positionals } = parse(args);
  const [command, name, ...rest] = positionals;
  const directory = values.keys ?? defaultKeyDirectory();
  const folder = new KeyFolder(directory);
  const isComplete = rest.length === 0 && values.help !== true;
  if (isComplete && command === "add" && name !== undefined) {
    const { key, stored } = folder.add(name, limitsOf(values));
    return `${key}\n\nThis is the key of ${name} (${stored.id}). It is not shown again.`;
  }
  if (isComplete && command === "list" && name === undefined) {
    const keys = folder.list();
    // Hashes are of no use to anybody.
    const withoutHashes = keys.map((key) => ({ ...key, hash: undefined }));
    return values.json ? asJson(withoutHashes) : table(keys.map(describeKey), noKeys);
  }
  if (isComplete && command === "revoke" && name !== undefined) {
    const { id, name: revoked } = folder.revoke(name);
    return `${revoked} (${id}) is revoked`;
  }
  if (isComplete && command === "usage") return usageReport(folder, name, values.json === true);
  if (values.help) return keysUsage;
  throw new ApiKeyError(`expected one of these:\n\n${keysUsage}`);
}

const noKeys = "there are no keys; make one by `keys add NAME`";

function limitsOf(values: Flags): KeyLimits {
  const limit = (flag: LimitFlag) => flagAmount(flag, values[flag]);
  return {
    requestsPerMinute: limit("requests-per-minute"),
    tokensPerMinute: limit("tokens-per-minute"),
    tokensPerDay: limit("tokens-per-day"),
    concurrentRequests: limit("concurrent-requests"),
  };
}

function describeKey(key: StoredKey): Record<string, string> {
  const { requestsPerMinute, tokensPerMinute, tokensPerDay, concurrentRequests } = key.limits;
  const shown = (limit: number | undefined): string => limit?.toLocaleString("en") ?? "-";
  return {
    id: key.id,
    name: key.name,
    created: key.created.slice(0, 10),
    revoked: key.revoked?.slice(0, 10) ?? "-",
    "requests/min": shown(requestsPerMinute),
    "tokens/min": shown(tokensPerMinute),
    "tokens/day": shown(tokensPerDay),
    "at once": shown(concurrentRequests),
  };
}

function usageReport(folder: KeyFolder, only: string | undefined, inJson: boolean): string {
  const book = usageOf(folder.directory);
  const keys = folder
    .list()
    .filter(({ id, name }) => only === undefined || [id, name].includes(only));
  if (only !== undefined && keys.length === 0) throw new ApiKeyError(`there is no key "${only}"`);
  const usages = keys.map(({ id, name }) => ({ id, name, ...book.of(id) }));
  if (inJson) return asJson(usages);
  const rows = usages.map(({ id, name, total, today }) => ({
    id,
    name,
    requests: `${total.requests}`,
    "prompt tokens": `${total.promptTokens}`,
    "answer tokens": `${total.completionTokens}`,
    "requests today": `${today.requests}`,
    "tokens today": `${today.promptTokens + today.completionTokens}`,
  }));
  return table(rows, noKeys);
}

function asJson(value: object): string {
  return JSON.stringify(value, null, 2);
}

/** Rows of the same fields, in columns under their names. */
function table(rows: readonly Record<string, string>[], ifEmpty: string): string {
  if (rows.length === 0) return ifEmpty;
  const names = Object.keys(rows[0]!);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]!))];
  const widths = names.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  const padded = (line: string[]): string =>
    line.map((cell, i) => cell.padEnd(widths[i]!)).join("  ");
  return lines.map((line) => padded(line).trimEnd()).join("\n");
}
