import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { runServer } from "verdaccio";
import { run } from "./run.ts";

/** A registry on this machine: ours are published to it, everything else comes from npm's own. */
export interface Registry {
  url: string;
  /** Line of an `.npmrc` with which npm and pnpm use it. */
  npmrc: string;
  close(): Promise<void>;
}

/** Starts one on a free port; packages lie in `folder`. */
export async function startRegistry(folder: string): Promise<Registry> {
  const upstream = (await run("npm", ["config", "get", "registry"], { cwd: folder })).trim();
  const configuration = {
    storage: join(folder, "storage"),
    self_path: folder,
    auth: { htpasswd: { file: join(folder, "htpasswd") } },
    uplinks: { upstream: { url: upstream, timeout: "60s", maxage: "30m" } },
    packages: {
      "@levin/*": { access: "$all", publish: "$all" },
      "**": { access: "$all", proxy: "upstream" },
    },
    max_body_size: "200mb",
    log: { type: "stdout", format: "pretty", level: "fatal" },
    web: { enable: false },
  };
  const server = (await runServer(configuration as never)) as Server;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}/`,
    npmrc: `registry=http://${host}/\n`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
