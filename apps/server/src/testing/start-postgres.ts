import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";

/** Whether PostgreSQL is installed; tests that need it are skipped where it is not. */
export const hasPostgres =
  process.platform !== "win32" &&
  ["postgres", "initdb"].every((name) => spawnSync(name, ["--version"]).status === 0);

/** The user `nobody`: PostgreSQL refuses to run as root. */
const nobody = 65534;

export interface RunningPostgres {
  url: string;
  stop(): Promise<void>;
}

/** A PostgreSQL server of its own, in a new folder, reached by a socket in it. */
export async function startPostgres(): Promise<RunningPostgres> {
  const directory = mkdtempSync(join(tmpdir(), "levin-postgres-"));
  chmodSync(directory, 0o700);
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, "data");
  const options = { ...user, cwd: directory, stdio: "ignore" as const };
  execFileSync("initdb", ["-D", data, "-A", "trust", "-U", "levin", "--no-sync"], options);
  const settings = ["-h", "", "-k", directory, "-c", "fsync=off", "-c", "max_connections=60"];
  const server = spawn("postgres", ["-D", data, ...settings], options);
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const url = `postgres://levin@localhost/postgres?host=${encodeURIComponent(directory)}`;
  await reachable(url);
  return {
    url,
    async stop() {
      // The fast shutdown: it ends open connections.
      server.kill("SIGINT");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

async function reachable(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
