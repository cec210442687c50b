import { parentPort, workerData } from "node:worker_threads";
import { selectBackend } from "@levin/kernels/node";
import { loadParameters } from "../load-model.ts";
import { stageTensors } from "../planner/plan-stages.ts";
import { Stage } from "./stage.ts";
import {
  signalWords,
  wakeCaller,
  type StageFailure,
  type StageGreeting,
  type StageMessage,
  type StageStart,
} from "./stage-message.ts";

/* A thread with some layers of a model, in a memory of their own. */

const { stage: number, isLast, input, output, signal, ...start } = workerData as StageStart;

try {
  const { directory, config, range, backend } = start;
  // Of a backend that is not there the caller has heard when it selected its own.
  await selectBackend(backend, { otherwise: () => {} });
  const parameters = await loadParameters(directory, config, stageTensors(config, range));
  const stage = new Stage(config, parameters, range);
  input.on("message", (message: StageMessage) => {
    output.postMessage(answer(stage, message), []);
    if (isLast) wakeCaller(signal);
  });
  // The caller sleeps and cannot see a stage end; that one's neighbours do.
  if (number > 0) input.once("close", () => reportLost(number - 1));
  if (!isLast) output.once("close", () => reportLost(number + 1));
  greet({});
} catch (error) {
  greet({ failure: failureOf(error) });
}

function answer(stage: Stage, message: StageMessage): StageMessage {
  if (message.failure) return message;
  try {
    return stage.handle(message);
  } catch (error) {
    return { ...message, failure: failureOf(error) };
  }
}

function failureOf(error: unknown): StageFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { stage: number, name, message };
}

function reportLost(stage: number): void {
  Atomics.compareExchange(signal, signalWords.lost, 0, stage + 1);
  wakeCaller(signal);
}

function greet(greeting: StageGreeting): void {
  parentPort!.postMessage(greeting, []);
}
