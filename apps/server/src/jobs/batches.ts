import { randomUUID } from "node:crypto";
import { ApiError } from "../api/api-error.ts";
import { readBatchInput } from "./batch-input.ts";
import {
  batchObject,
  completionWindow,
  outputs,
  seconds,
  type BatchDetails,
  type BatchRequest,
} from "./batch-object.ts";
import { fileObject, type FileObject, type FileStore } from "./file-store.ts";
import type { JobRuns, OutcomeStatus, Run } from "./job-runs.ts";

/** The kind of run that a batch is. */
export const batchKind = "batch";

/** Batches of requests as OpenAI's API knows them, each a run of jobs; whose they are not don't find them. */
export class Batches {
  readonly #runs: JobRuns;
  readonly #files: FileStore;

  constructor(runs: JobRuns, files: FileStore) {
    this.#runs = runs;
    this.#files = files;
  }

  /** @throws ApiError (404) for an unknown file */
  async create(owner: string, request: BatchRequest): Promise<object> {
    const { input_file_id: id, endpoint } = request;
    if (!(await this.#files.get(owner, id))) throw unknownFile(id, "input_file_id");
    const { items, errors } = await readBatchInput(this.#files.read(id), endpoint);
    const isRight = errors.length === 0;
    const lines = isRight ? items.map((item) => JSON.stringify(item)) : [];
    const run = await this.#runs.create(batchKind, lines, {
      id: `batch_${randomUUID().replaceAll("-", "")}`,
      window: completionWindow,
      details: { ...request, owner, ...(!isRight && { errors }) },
    });
    return batchObject(run);
  }

  /** @throws ApiError (404) */
  async get(owner: string, id: string): Promise<object> {
    return batchObject(await this.#run(owner, id));
  }

  /** Batches after one of them, the newest first. */
  async list(owner: string, limit: number, after: string | undefined): Promise<object> {
    const ids = await this.#runs.list(batchKind);
    const start = after === undefined ? 0 : ids.indexOf(after) + 1;
    const runs = await Promise.all(ids.slice(start).map((id) => this.#runs.current(id)));
    const kept = runs.filter((run) => run !== undefined).filter((run) => isOf(owner, run));
    const data = kept.slice(0, limit).map(batchObject);
    return {
      object: "list",
      data,
      first_id: kept[0]?.id ?? null,
      last_id: kept[data.length - 1]?.id ?? null,
      has_more: kept.length > limit,
    };
  }

  /** @throws ApiError (404; 409 when it is over) */
  async cancel(owner: string, id: string): Promise<object> {
    const { finishedAt } = await this.#run(owner, id);
    if (finishedAt !== undefined) {
      throw new ApiError(409, "the batch is over and can't be cancelled", { code: "batch_over" });
    }
    await this.#runs.stop(id, "cancelled");
    return this.get(owner, id);
  }

  /** A file that a batch wrote; its content is put together from the outcomes when it is read. */
  async outputFile(owner: string, id: string): Promise<FileObject | undefined> {
    const output = await this.#output(owner, id);
    if (!output) return undefined;
    let bytes = 0;
    for await (const line of this.#lines(output)) bytes += Buffer.byteLength(line);
    return fileObject({
      id,
      bytes,
      created_at: seconds(output.run.finishedAt!),
      filename: `${output.run.id}_${output.name}.jsonl`,
      purpose: "batch_output",
    });
  }

  async outputContent(owner: string, id: string): Promise<AsyncGenerator<string> | undefined> {
    const output = await this.#output(owner, id);
    return output && this.#lines(output);
  }

  async *#lines({ run, status }: { run: Run; status: OutcomeStatus }): AsyncGenerator<string> {
    for await (const outcome of this.#runs.outcomes(run.id)) {
      if (outcome.status === status) yield `${JSON.stringify(outcome.value)}\n`;
    }
  }

  async #output(owner: string, id: string) {
    const [, batch, name] = /^file-(batch_\w+)-(output|errors)$/.exec(id) ?? [];
    const run = batch === undefined ? undefined : await this.#runs.get(batch);
    if (run?.finishedAt === undefined || !isOf(owner, run)) return undefined;
    const key = name as keyof typeof outputs;
    return run.counts[outputs[key]] > 0 ? { run, name: key, status: outputs[key] } : undefined;
  }

  async #run(owner: string, id: string): Promise<Run> {
    const run = await this.#runs.current(id);
    if (run?.kind === batchKind && isOf(owner, run)) return run;
    throw new ApiError(404, `no batch has the id "${id}"`, { code: "batch_not_found" });
  }
}

export function unknownFile(id: string, param: string | null = null): ApiError {
  return new ApiError(404, `no file has the id "${id}"`, { param, code: "file_not_found" });
}

/** The id of the API key that made a batch; empty without keys. */
export function ownerOf({ details }: Run): string {
  return (details as Partial<BatchDetails>).owner ?? "";
}

function isOf(owner: string, run: Run): boolean {
  return ownerOf(run) === owner;
}
