import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const candidates = [
  process.env["REDIS_SERVER_PATH"],
  "/usr/bin/redis-server",
  "/usr/local/bin/redis-server",
  "/opt/homebrew/bin/redis-server",
];

/** Path of a Redis server on this machine. */
export function redisServerPath(): string | undefined {
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** A Redis of a test's own. */
export interface TestRedis {
  url: string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** Starts a Redis on a free port, in a temporary folder. */
export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "levin-redis-"));
  // Another process may take a port between the look and the start.
  for (let attempt = 0; attempt < 5; attempt++) {
    const started = await startOn(await freePort(), folder);
    if (started) return started;
  }
  throw new Error("expected a Redis to start, found five that ended");
}

/** Undefined when it ended before it was ready. */
async function startOn(port: number, folder: string): Promise<TestRedis | undefined> {
  const options = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--appendonly",
    "yes",
  ];
  const child = spawn(redisServerPath()!, options, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let ready = false;
  for await (const line of createInterface({ input: child.stdout })) {
    ready = line.includes("Ready to accept connections");
    if (ready) break;
  }
  if (!ready) return undefined;
  child.stdout.resume();
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
