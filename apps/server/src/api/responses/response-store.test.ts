import { expect, it } from "vitest";
import { eachDatabase } from "../../testing/each-database.ts";
import type { ResponseObject } from "./response-events.ts";
import { ResponseStore, type StoredResponse } from "./response-store.ts";

const missing = { status: 404, code: "response_not_found" };
const stored = (id: string, text = "hi"): StoredResponse => ({
  input: [{ id: "msg_1", type: "message", role: "user", content: [{ type: "input_text", text }] }],
  response: { id, object: "response", status: "completed", output: [] } as ResponseObject,
});

eachDatabase("responses", (database) => {
  const store = (quota = {}) => new ResponseStore(() => Promise.resolve(database()), quota);
  /** Those of some ids that an owner still has. */
  const left = async (owner: string, ids: readonly string[]): Promise<string[]> => {
    const found = ids.map((id) =>
      store()
        .find(owner, id)
        .then(
          () => id,
          () => undefined,
        ),
    );
    return (await Promise.all(found)).filter((id) => id !== undefined);
  };
  /** Keeps some, one after another. */
  const keepAll = async (owner: string, ids: readonly string[], quota: object) => {
    for (const id of ids) {
      await store(quota).keep(owner, stored(id, "x".repeat(1000)));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };

  it("come back as they were kept, to their owner alone, until they are deleted", async () => {
    const one = stored("resp_1", 'Ünïcode "quoted" 🙂');
    await store().keep("ann", one);
    expect(await store().find("ann", "resp_1")).toEqual(one);
    await expect(store().find("ann", "\0")).rejects.toMatchObject(missing);
    await expect(store().find("bob", "resp_1", "x")).rejects.toMatchObject({
      ...missing,
      param: "x",
    });
    await expect(store().delete("bob", "resp_1")).rejects.toMatchObject(missing);
    await store().delete("ann", "resp_1");
    await expect(store().find("ann", "resp_1")).rejects.toMatchObject(missing);
    await expect(store().delete("ann", "resp_1")).rejects.toMatchObject(missing);
  });

  it("go when their owner has too many bytes, the oldest first; others' stay", async () => {
    // Of one millisecond the first by name counts as the newest.
    const ids = ["d", "c", "b", "a"];
    await store().keep("eve", stored("hers"));
    // Each has some 1,200 bytes.
    await keepAll("ann", ids, { bytes: 4000 });
    expect(await left("ann", ids)).toEqual(["c", "b", "a"]);
    expect(await left("eve", ["hers"])).toEqual(["hers"]);
    await store({ bytes: 1000 }).keep("ann", stored("large", "x".repeat(1000)));
    expect(await left("ann", [...ids, "large"])).toEqual(["c", "b", "a"]);
  });

  it("go when they are old", async () => {
    await store().keep("ann", stored("old"));
    const hourAgo = { created_at: Date.now() - 3_600_000 };
    await database().db.updateTable("response").set(hourAgo).where("id", "=", "old").execute();
    await store({ age: 1_800_000 }).keep("ann", stored("new"));
    expect(await left("ann", ["old", "new"])).toEqual(["new"]);
  });
});
