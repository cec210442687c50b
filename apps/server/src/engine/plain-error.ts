import { BackendUnavailableError, DeviceLostError, OutOfMemoryError } from "@levin/kernels/node";
import {
  CheckpointError,
  ConfigError,
  ConstraintError,
  GenerationOptionsError,
  LogitsError,
  ModelStateError,
  PromptTooLongError,
  StagePlanError,
  TokenBatchError,
} from "@levin/model";
import { StageError } from "@levin/model/node";
import { TokenizerError } from "@levin/tokenizer";
import { ApiError } from "../api/api-error.ts";

/** An error as plain data, with its own fields, such as an HTTP status. */
export interface PlainError {
  name: string;
  message: string;
  stack: string | undefined;
  fields: Record<string, unknown>;
}

/** Errors that are of the same type on both sides; others keep their name. */
const types: Record<string, { prototype: Error }> = {
  ApiError,
  BackendUnavailableError,
  CheckpointError,
  ConfigError,
  ConstraintError,
  DeviceLostError,
  GenerationOptionsError,
  LogitsError,
  ModelStateError,
  OutOfMemoryError,
  PromptTooLongError,
  StageError,
  StagePlanError,
  TokenBatchError,
  TokenizerError,
};

/** Structured cloning alone would make a plain Error of every type of ours. */
export function toPlainError(thrown: unknown): PlainError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { name, message, stack } = error;
  const isPlain = (value: unknown): boolean =>
    value === null || ["string", "number", "boolean"].includes(typeof value);
  const fields = Object.entries(error).filter(([key, value]) => key !== "name" && isPlain(value));
  return { name, message, stack, fields: Object.fromEntries(fields) };
}

/** The error that {@link toPlainError} was given, with its stack of the other thread. */
export function fromPlainError({ name, message, stack, fields }: PlainError): Error {
  const error = new Error(message);
  if (Object.hasOwn(types, name)) Object.setPrototypeOf(error, types[name]!.prototype);
  return Object.assign(error, { name, ...fields, ...(stack !== undefined && { stack }) });
}
