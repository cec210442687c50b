import { readFile } from "node:fs/promises";
import { sparkDirectory } from "@levin/spark";
import { addition } from "@levin/tasks";
import { Tokenizer } from "@levin/tokenizer";
import { describe, expect, it } from "vitest";
import { taskExample } from "./task-examples.ts";
import { tinyRecipe } from "../testing/tiny-recipe.ts";

const tokenizer = Tokenizer.fromJson(
  JSON.parse(await readFile(new URL("tokenizer.json", sparkDirectory), "utf8")),
);

describe("an example that comes later in a conversation", () => {
  const recipe = { ...tinyRecipe.sources.tasks!, historyShare: 1, directAnswerShare: 0 };
  const examples = Array.from({ length: 20 }, (_, seed) =>
    taskExample(recipe, { tokenizer, task: addition, maxTokens: 2000, seed }),
  );
  const thoughts = examples.map(
    ({ ids }) => ids.filter((id) => id === tokenizer.tokenToId("<think>")).length,
  );

  it("has earlier thoughts in their marks where a session keeps it, and no trace of them where a client sends none", () => {
    expect(new Set(thoughts)).toEqual(new Set([1, 5]));
  });

  it("is learned from the last reply alone", () => {
    for (const { ids, learned } of examples) {
      const start = learned.indexOf(1);
      expect(learned.slice(start)).toEqual(ids.slice(start).map(() => 1));
      const asked = tokenizer.decode(ids.slice(0, start), { skipSpecialTokens: false });
      expect(asked.match(/user name=user/g)).toHaveLength(5);
      expect(asked.match(/ai name=assistant/g)).toHaveLength(5);
    }
  });
});
