import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Project } from "./project.ts";
import type { Registry } from "./registry.ts";

/** Installs the command line alone and lets the embedded model answer. */
export async function checkCommandLine(folder: string, registry: Registry): Promise<void> {
  const project = await Project.create(folder, registry, ["@levin/cli"]);
  const levin = join(project.folder, "node_modules/.bin/levin");
  const answer = await project.run(levin, ["generate", "What is 12 plus 30?"]);
  assert.match(answer, /42/);
}

/** Installs the server alone, starts it, and asks for a page and an answer. */
export async function checkServer(folder: string, registry: Registry): Promise<void> {
  const project = await Project.create(folder, registry, ["@levin/server"]);
  const main = join(project.folder, "node_modules/.bin/levin-server");
  const server = spawn(main, ["--port", "0"], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const address = await readAddress(server.stdout);
    const page = await fetch(address);
    assert.match(await page.text(), /<title>/);
    const response = await fetch(`${address}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "spark",
        messages: [{ role: "user", content: "What is 12 plus 30?" }],
      }),
    });
    const body = (await response.json()) as { choices: { message: { content: string } }[] };
    assert.match(body.choices[0]!.message.content, /42/);
  } finally {
    server.kill("SIGINT");
    if (server.exitCode === null) await once(server, "exit");
  }
}

async function readAddress(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = line.match(/http:\/\/[\d.:]+/);
    if (address) return address[0];
  }
  throw new Error("expected the server to print its address, it ended before");
}
