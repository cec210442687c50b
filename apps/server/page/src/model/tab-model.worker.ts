import { ContinuousBatch, PrefixCache } from "@levin/model";
import { encodeChat, type ChatMessage, type ToolDefinition } from "@levin/tokenizer";
import type { Delta } from "../answers/answer-source.ts";
import { showKey } from "../answers/server-request.ts";
import { answerDeltas } from "./answer-deltas.ts";
import { fetchModel } from "./fetch-model.ts";
import { loadTabModel, type TabModel } from "./load-tab-model.ts";
import type { TabBackend, TabReply, TabRequest } from "./tab-protocol.ts";

interface Running extends TabModel {
  batch: ContinuousBatch;
  prefixes: PrefixCache;
}

/** One model, in this worker; requests that come together are answered together. */
let running: Running | undefined;
const asked = new Map<number, AbortController>();

addEventListener("message", ({ data }: MessageEvent<TabRequest>) => {
  switch (data.type) {
    case "load":
      showKey(data.apiKey);
      void load(data.backend);
      return;
    case "ask":
      void answer(data);
      return;
    case "stop":
      asked.get(data.ask)?.abort();
      return;
    case "count":
      reply({
        type: "counted",
        ask: data.ask,
        tokens: running!.tokenizer.encode(data.text, { parseSpecialTokens: false }).length,
      });
  }
});

function reply(message: TabReply): void {
  // A worker has no origin to name, unlike a window.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  postMessage(message);
}

async function load(backend: TabBackend): Promise<void> {
  try {
    const { id, files } = await fetchModel((done, total) =>
      reply({ type: "progress", done, total }),
    );
    const loaded = await loadTabModel(id, files, backend);
    const batch = new ContinuousBatch(loaded.model, loaded.tokenizer);
    running = { ...loaded, batch, prefixes: new PrefixCache() };
    reply({ type: "ready", facts: loaded.facts, threads: loaded.threads });
  } catch (error) {
    reply({ type: "unloaded", message: (error as Error).message });
  }
}

async function answer({
  ask,
  messages,
  thinkingBudget,
  tools,
}: Extract<TabRequest, { type: "ask" }>): Promise<void> {
  const { model, tokenizer, template, batch, prefixes } = running!;
  const controller = new AbortController();
  asked.set(ask, controller);
  const tell = (delta: Delta): void => reply({ type: "delta", ask, delta });
  try {
    const ids = encodeChat(tokenizer, messages as ChatMessage[], {
      template,
      tools: tools as ToolDefinition[],
    });
    const events = batch.add(ids, {
      maxNewTokens: Math.max(0, model.config.maxPositionEmbeddings - ids.length),
      ...(thinkingBudget !== null && { thinkingBudget }),
      prefixes,
      signal: controller.signal,
      onPrefill: ({ processed: done, ...read }) => tell({ read: { done, ...read } }),
    });
    for await (const delta of answerDeltas(events, tools.length > 0)) tell(delta);
    reply({ type: "end", ask });
  } catch (error) {
    reply({ type: "end", ask, error: (error as Error).message });
  } finally {
    asked.delete(ask);
  }
}
