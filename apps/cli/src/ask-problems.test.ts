import { selectBackend } from "@levin/kernels/node";
import { CausalLanguageModel, parseConfig } from "@levin/model";
import { initialiseParameters } from "@levin/training";
import { expect, it } from "vitest";
import { askPrompts } from "./ask-problems.ts";
import { loadText, modelDirectory } from "./load-bundle.ts";

it("prompts beyond the context are cut at their beginning, and others are answered beside them", async () => {
  await selectBackend("cpu");
  const config = parseConfig({
    ...{ model_type: "minimax_m1", vocab_size: 512, hidden_size: 16, num_hidden_layers: 1 },
    ...{ attn_type_list: [0], num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8 },
    ...{ num_local_experts: 2, num_experts_per_tok: 1, intermediate_size: 8 },
    max_position_embeddings: 48,
  });
  const model = new CausalLanguageModel(config, initialiseParameters(config, 1));
  const bundle = { ...(await loadText(modelDirectory(undefined))), model };
  const ask = (...prompts: string[]) =>
    askPrompts(bundle, prompts, { maxNewTokens: 4, temperature: 0 });

  const end = "What comes behind all of this? ".repeat(8);
  const [one, other, short] = await ask(`one ${end}`, `other ${end}`, "short");
  expect(one).not.toBe("");
  expect(one).toBe(other);
  expect(one).toBe((await ask(end))[0]);
  expect(short).toBe((await ask("short"))[0]);
  model.dispose();
});
