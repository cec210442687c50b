import { selectBackend } from "@levin/kernels/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { model, startScriptedServer, type ScriptedServer } from "../testing/scripted-server.ts";
import { SessionClient } from "../testing/session-client.ts";
import { hasPostgres, startPostgres, type RunningPostgres } from "../testing/start-postgres.ts";
import { startUpstreamServer, type UpstreamServer } from "../testing/upstream-server.ts";
import { openDatabase } from "./open-database.ts";

const script = (conversation: string): string =>
  `<think>\nhm\n</think>\n\nAnswer ${conversation.split("user name=user").length - 1}.`;

describe.skipIf(!hasPostgres)("servers with one PostgreSQL", () => {
  let postgres: RunningPostgres;
  let one: ScriptedServer;
  let two: ScriptedServer;
  let front: UpstreamServer;
  beforeAll(async () => {
    await selectBackend("cpu");
    postgres = await startPostgres();
    const database = () => openDatabase({ url: postgres.url });
    const fingerprint = () => Promise.resolve("script");
    const start = async () =>
      startScriptedServer({ script, context: 8000, fingerprint, database: await database() });
    [one, two] = [await start(), await start()];
    front = await startUpstreamServer([two.url], { database: await database() });
  });
  afterAll(async () => {
    await front?.close();
    await Promise.all([one, two].map((server) => server?.close()));
    await postgres?.stop();
  });

  const clients = () => [one, two, front].map(({ url }) => new SessionClient(url, model));

  it("go on with each other's sessions and forks, with their states", async () => {
    const [here, there, before] = clients() as [SessionClient, SessionClient, SessionClient];
    const { id } = await here.create();
    for (const text of ["One?", "Two?"]) await here.ask(id, text);
    const fork = await here.fork(id, { message: 1 });
    const other = await there.ask(fork.id, "Other?");
    expect(other.choices[0]!.message.content).toBe("Answer 2.");
    // The state came through the database: this server never read the first question.
    expect(other.usage.prompt_tokens_details.cached_tokens).toBe(fork.token_count - 1);
    const third = await there.ask(id, "Three?");
    expect(third.choices[0]!.message.content).toBe("Answer 3.");
    const branch = await there.fork(id);
    expect((await before.ask(branch.id, "Four?")).choices[0]!.message.content).toBe("Answer 4.");
    expect((await here.ask(branch.id, "Five?")).choices[0]!.message.content).toBe("Answer 5.");
    await there.request("DELETE", `sessions/${id}`);
    await expect(here.ask(id, "Gone?")).rejects.toMatchObject({ status: 404 });
  });

  it("go on from each other's responses", async () => {
    let previous: string | undefined;
    for (const [i, { openai }] of [one, two, front, one].entries()) {
      const response = await openai.responses.create({
        model,
        input: "hi",
        temperature: 0,
        previous_response_id: previous ?? null,
      });
      expect(response.output_text).toBe(`Answer ${i + 1}.`);
      previous = response.id;
    }
    await two.openai.responses.delete(previous!);
    await expect(front.openai.responses.retrieve(previous!)).rejects.toMatchObject({ status: 404 });
  });
});
