import { useEffect, useState } from "preact/hooks";
import type { AnswerSource } from "../answers/answer-source.ts";
import { serverSource } from "../answers/server-source.ts";
import type { Settings } from "../controls/use-settings.ts";
import { whenCached } from "../offline/register-service-worker.ts";
import { useServedModels, type ModelFacts } from "./model-facts.ts";
import { RunningTabModel } from "./tab-model.ts";
import { inBytes } from "./units.ts";

/** The models that can be asked, wherever they run. */
export interface AskableModels {
  /** The first is the one that is asked; empty until there is one. */
  models: readonly ModelFacts[];
  source: AnswerSource;
  /** What there is to wait for, or where the model runs. */
  status: string;
}

export function useModels({ place, backend, apiKey, model }: Settings): AskableModels {
  const { models, isLocked } = useServedModels(place === "server", apiKey);
  const tab = useTabModel(place === "tab", backend, apiKey);
  if (place === "tab") return tab;
  if (isLocked) {
    return { models: [], source: serverSource, status: "needs an API key: set it in the menu" };
  }
  const status = models.length === 0 ? "waiting for the server…" : "";
  return { models: fromChosen(models, model), source: serverSource, status };
}

/** In a circle, so that each can be compared with the next. */
function fromChosen(models: readonly ModelFacts[], chosen: string): readonly ModelFacts[] {
  const at = Math.max(
    0,
    models.findIndex(({ id }) => id === chosen),
  );
  return [...models.slice(at), ...models.slice(0, at)];
}

function useTabModel(
  isWanted: boolean,
  backend: Settings["backend"],
  apiKey: string,
): AskableModels {
  const [state, setState] = useState<AskableModels>(starting);
  useEffect(() => {
    if (!isWanted) return;
    const model = new Promise<RunningTabModel>((resolve) => {
      // What the worker loads is to be kept for times without a server.
      void whenCached().then(() => resolve(new RunningTabModel()));
    });
    let isCurrent = true;
    const tell = (change: Partial<AskableModels>): void => {
      if (isCurrent) setState({ ...starting, ...change });
    };
    tell({});
    void model.then(async (running) => {
      if (!isCurrent) return;
      try {
        const { facts, threads } = await running.load(backend, apiKey, (done, total) =>
          tell({
            status: `loading the model into this tab: ${inBytes(done)} of ${inBytes(total)}`,
          }),
        );
        const how =
          backend === "webgpu" ? "WebGPU" : `${threads} ${threads === 1 ? "thread" : "threads"}`;
        tell({ models: [facts], source: running, status: `in this tab, ${how}` });
      } catch (error) {
        tell({ status: `not in this tab: ${(error as Error).message}` });
      }
    });
    return () => {
      isCurrent = false;
      void model.then((running) => running.close());
    };
  }, [isWanted, backend, apiKey]);
  return state;
}

const starting: AskableModels = {
  models: [],
  source: serverSource,
  status: "starting the model in this tab…",
};
