import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from "node:worker_threads";
import type { ModelConfig } from "../config/model-config.ts";
import type { LayerRange } from "../decoder.ts";
import { describeStage, StageError, stageError } from "./stage-error.ts";
import {
  signalWords,
  type StageGreeting,
  type StageMessage,
  type StageRequest,
  type StageStart,
} from "./stage-message.ts";

export interface RingOptions {
  directory: string;
  config: ModelConfig;
  stages: readonly LayerRange[];
  /** tfjs backend of each stage. */
  backend: string;
}

/**
 * The threads of a model's stages. A request goes from stage to stage and back to the caller, who
 * waits for it without leaving the call.
 */
export class StageRing {
  readonly stages: readonly LayerRange[];
  readonly workers: readonly Worker[];
  readonly #signal: Int32Array;
  readonly #first: MessagePort;
  readonly #last: MessagePort;
  #end: StageError | undefined;

  /** @throws what `loadModel` throws, naming the stage; StageError when one ends while it loads */
  static async start(options: RingOptions): Promise<StageRing> {
    const ring = new StageRing(options);
    try {
      await Promise.all(ring.workers.map((worker, stage) => loaded(worker, stage, ring.stages)));
    } catch (error) {
      await ring.close();
      throw error;
    }
    for (const worker of ring.workers) worker.unref();
    return ring;
  }

  private constructor({ stages, ...options }: RingOptions) {
    this.stages = stages;
    this.#signal = new Int32Array(new SharedArrayBuffer(8));
    const channels = Array.from({ length: stages.length + 1 }, () => new MessageChannel());
    this.#first = channels[0]!.port1;
    this.#last = channels.at(-1)!.port2;
    this.workers = stages.map((range, stage) => {
      const [input, output] = [channels[stage]!.port2, channels[stage + 1]!.port1];
      const worker = startThread({
        ...options,
        ...{ stage, range, input, output },
        isLast: stage === stages.length - 1,
        signal: this.#signal,
      });
      // Without a listener an error would end the process.
      worker.on("error", (cause) => this.#lose(stage, cause));
      worker.once("exit", () => this.#lose(stage));
      return worker;
    });
  }

  /** False when a stage has ended or the ring was closed. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** @throws StageError when a stage has ended, and the errors of the stages */
  call(request: StageRequest): StageMessage {
    if (this.#end) throw this.#end;
    const message: StageMessage = { request, byteLength: 0, length: 0, layers: [] };
    this.#first.postMessage(message, []);
    const answer = this.#wait();
    if (answer.failure) throw stageError(answer.failure, this.stages);
    return answer;
  }

  /** Ends all stages; their memory is free then. */
  async close(): Promise<void> {
    this.#end ??= new StageError("stages: expected a model in use, found one disposed of");
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  #wait(): StageMessage {
    for (;;) {
      const seen = Atomics.load(this.#signal, signalWords.count);
      const received = receiveMessageOnPort(this.#last) as { message: StageMessage } | undefined;
      if (received) return received.message;
      const lost = Atomics.load(this.#signal, signalWords.lost);
      if (lost > 0) throw this.#lose(lost - 1);
      Atomics.wait(this.#signal, signalWords.count, seen);
    }
  }

  /** A model without one of its stages is of no use: the others give back their memory. */
  #lose(stage: number, cause?: unknown): StageError {
    if (!this.#end) {
      const why = cause instanceof Error ? ` (${cause.message})` : "";
      this.#end = new StageError(
        `${describeStage(stage, this.stages)}: expected it to run, found its thread ended${why}; ` +
          "the model must be loaded again",
        { cause },
      );
      void this.close();
    }
    return this.#end;
  }
}

function startThread(start: StageStart): Worker {
  const isSource = import.meta.url.endsWith(".ts");
  return new Worker(new URL(`./stage-thread.${isSource ? "ts" : "js"}`, import.meta.url), {
    workerData: start,
    transferList: [start.input, start.output],
    ...(isSource && { execArgv: ["--conditions=@levin/source"] }),
  });
}

function loaded(worker: Worker, stage: number, stages: readonly LayerRange[]): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once("message", ({ failure }: StageGreeting) =>
      failure ? reject(stageError(failure, stages)) : resolve(),
    );
    const end = (cause?: unknown): void =>
      reject(new StageError(`${describeStage(stage, stages)}: ended while it loaded`, { cause }));
    worker.once("error", end);
    worker.once("exit", () => end());
  });
}
