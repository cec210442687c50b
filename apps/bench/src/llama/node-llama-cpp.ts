import { importPeer } from "../peers/peer-packages.ts";

/** As much of node-llama-cpp as is used here. */
interface NodeLlamaCpp {
  getLlama: (
    this: void,
    options: object,
  ) => Promise<{ loadModel(options: object): Promise<Model> }>;
}

interface Model {
  tokenize(text: string, specialTokens: boolean): number[];
  createContext(options: object): Promise<{
    readonly stateSize: number;
    getSequence(): LlamaSequence;
    dispose(): Promise<void>;
  }>;
}

/** Tokens that llama.cpp has read, and what follows them. */
export interface LlamaSequence {
  clearHistory(): Promise<void>;
  /** Generates greedily. */
  evaluate(tokens: number[], options: object): AsyncGenerator<number>;
  controlledEvaluate(
    tokens: (number | [number, { generateNext: { logits: true } }])[],
  ): Promise<({ next: { logits?: Map<number, number> } } | undefined)[]>;
}

/** How a context of llama.cpp computes. */
export interface LlamaContextOptions {
  contextSize: number;
  threads: number;
  /**
   * All in float32: keys and values too, and no flash attention, whose kernel for CPUs computes in
   * float16. Default false, as llama.cpp's own.
   */
  isExact?: boolean;
}

/** A GGUF file in llama.cpp. */
export class LlamaModel {
  readonly #model: Model;

  private constructor(model: Model) {
    this.#model = model;
  }

  static async load(modelPath: string, threads: number): Promise<LlamaModel> {
    const { getLlama } = await importPeer<NodeLlamaCpp>("node-llama-cpp");
    const llama = await getLlama({
      ...{ gpu: false, build: "never", skipDownload: true, logLevel: "error" },
      maxThreads: threads,
    });
    return new LlamaModel(await llama.loadModel({ modelPath }));
  }

  /** Token ids of a text, special tokens among them. */
  encode(text: string): number[] {
    return this.#model.tokenize(text, true);
  }

  /** An empty context with one sequence. */
  async open({ isExact = false, ...options }: LlamaContextOptions): Promise<LlamaContext> {
    const type = isExact ? "F32" : "F16";
    const context = await this.#model.createContext({
      ...{ ...options, sequences: 1, flashAttention: isExact ? false : "auto" },
      ...{ experimentalKvCacheKeyType: type, experimentalKvCacheValueType: type },
    });
    return {
      sequence: context.getSequence(),
      stateBytes: () => context.stateSize,
      close: () => context.dispose(),
    };
  }
}

export interface LlamaContext {
  sequence: LlamaSequence;
  /** Bytes of what it would save. */
  stateBytes: () => number;
  close: () => Promise<void>;
}

/** Feeds tokens; the logits of the one after the last. */
export async function nextLogits(
  sequence: LlamaSequence,
  tokens: readonly number[],
): Promise<Float32Array> {
  const last = tokens.at(-1)!;
  const fed = await sequence.controlledEvaluate([
    ...tokens.slice(0, -1),
    [last, { generateNext: { logits: true } }],
  ]);
  const { logits } = fed.at(-1)!.next;
  const result = new Float32Array(logits!.size);
  for (const [token, logit] of logits!) result[token] = logit;
  return result;
}
