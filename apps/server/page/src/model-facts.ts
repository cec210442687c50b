import { useEffect, useState } from "preact/hooks";

/** What the header says of the model. */
export interface ModelFacts {
  id: string;
  parameters?: string;
  state?: string;
}

interface ModelList {
  data: { id: string; levin?: { parameters?: number; lightning_state_bytes?: number } }[];
}

/** Asks the server which model it serves. */
export function useModelFacts(): ModelFacts | undefined {
  const [facts, setFacts] = useState<ModelFacts>();
  useEffect(() => {
    const load = async (): Promise<void> => {
      const { data } = (await (await fetch("/v1/models")).json()) as ModelList;
      const [model] = data;
      if (!model) return;
      const { parameters, lightning_state_bytes: state } = model.levin ?? {};
      setFacts({
        id: model.id,
        ...(parameters && { parameters: `${(parameters / 1e6).toFixed(1)} M parameters` }),
        ...(state && {
          state: `its memory stays at ${Math.round(state / 1024)} KiB however long it thinks`,
        }),
      });
    };
    // Without the facts the page still works.
    load().catch(() => {});
  }, []);
  return facts;
}
