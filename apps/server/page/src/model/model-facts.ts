import { serverRequest } from "../answers/server-request.ts";
import { useEffect, useState } from "preact/hooks";

/** What the page knows of a model. Sizes are missing where a server does not tell them. */
export interface ModelFacts {
  id: string;
  /** Tokens of question and answer together. */
  contextLength?: number;
  parameters?: number;
  activeParameters?: number;
  /** Bytes of the lightning state, however long the text. */
  lightningStateBytes?: number;
  /** Bytes that each token adds in the softmax layers. */
  cacheBytesPerToken?: number;
  /** The same, were all layers softmax. */
  softmaxTwinCacheBytesPerToken?: number;
  flops?: Flops;
  /** The same, were all layers softmax. */
  softmaxTwinFlops?: Flops;
}

/** FLOPs of a token: `perToken + perContextToken · n`, where it is the n-th of a text. */
export interface Flops {
  perToken: number;
  perContextToken: number;
}

export interface ModelCard {
  id: string;
  levin?: {
    context_length?: number;
    parameters?: number;
    active_parameters?: number;
    lightning_state_bytes?: number;
    cache_bytes_per_token?: number;
    softmax_twin_cache_bytes_per_token?: number;
    flops?: CardFlops;
    softmax_twin_flops?: CardFlops;
  };
}

interface CardFlops {
  per_token: number;
  per_context_token: number;
}

const retryMilliseconds = 2000;

interface ServedModels {
  models: readonly ModelFacts[];
  /** The server asks for an API key. */
  isLocked: boolean;
}

/** Asks the server which models it serves, again and again until it answers; the first is asked. */
export function useServedModels(isWanted: boolean, apiKey: string): ServedModels {
  const [isLocked, setLocked] = useState(false);
  const [models, setModels] = useState<readonly ModelFacts[]>([]);
  useEffect(() => {
    if (!isWanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      try {
        const response = await serverRequest("/v1/models");
        setLocked(response.status === 401);
        if (response.status === 401) return;
        const { data } = (await response.json()) as { data: ModelCard[] };
        setModels(data.map(toFacts));
      } catch {
        timer = setTimeout(() => void load(), retryMilliseconds);
      }
    };
    void load();
    return () => clearTimeout(timer);
  }, [isWanted, apiKey]);
  return { models, isLocked };
}

/** The facts in a card of `/v1/models`. */
export function toFacts({ id, levin = {} }: ModelCard): ModelFacts {
  const facts: { [Name in keyof ModelFacts]: ModelFacts[Name] | undefined } = {
    id,
    contextLength: levin.context_length,
    parameters: levin.parameters,
    activeParameters: levin.active_parameters,
    lightningStateBytes: levin.lightning_state_bytes,
    cacheBytesPerToken: levin.cache_bytes_per_token,
    softmaxTwinCacheBytesPerToken: levin.softmax_twin_cache_bytes_per_token,
    flops: toFlops(levin.flops),
    softmaxTwinFlops: toFlops(levin.softmax_twin_flops),
  };
  return facts as ModelFacts;
}

function toFlops(card: CardFlops | undefined): Flops | undefined {
  return card && { perToken: card.per_token, perContextToken: card.per_context_token };
}

/** FLOPs of the tokens that follow the first `from`, up to the first `to` of a text. */
export function flopsOf({ perToken, perContextToken }: Flops, from: number, to: number): number {
  return (to - from) * (perToken + (perContextToken * (from + 1 + to)) / 2);
}

/** Bytes of the state of one conversation after so many tokens; undefined where sizes are not told. */
export function stateBytesAfter(
  { lightningStateBytes, cacheBytesPerToken }: ModelFacts,
  tokens: number,
): number | undefined {
  if (lightningStateBytes === undefined || cacheBytesPerToken === undefined) return undefined;
  return lightningStateBytes + cacheBytesPerToken * tokens;
}
