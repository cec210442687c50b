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

const retryMilliseconds = 2000;

/** Asks the server which model it serves, again and again until it answers. */
export function useModelFacts(): ModelFacts | undefined {
  const [facts, setFacts] = useState<ModelFacts>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        setFacts(await modelFacts());
      } catch {
        timer = setTimeout(() => void load(), retryMilliseconds);
      }
    };
    void load();
    return () => clearTimeout(timer);
  }, []);
  return facts;
}

async function modelFacts(): Promise<ModelFacts> {
  const { data } = (await (await fetch("/v1/models")).json()) as ModelList;
  const { id, levin } = data[0]!;
  const { parameters, lightning_state_bytes: state } = levin ?? {};
  return {
    id,
    ...(parameters && { parameters: inMillions(parameters) }),
    ...(state && { state: `lightning state of ${inKibibytes(state)}, however long the text` }),
  };
}

function inMillions(parameters: number): string {
  return `${(parameters / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} M parameters`;
}

function inKibibytes(bytes: number): string {
  return `${Math.round(bytes / 1024).toLocaleString("en")} KiB`;
}
