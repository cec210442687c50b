import { randomUUID } from "node:crypto";
import { ApiError } from "../api/api-error.ts";
import { pageAfter } from "../api/page-after.ts";
import { readBatchInput } from "./batch-input.ts";
import { batchKind, batchObject, completionWindow, type BatchRequest } from "./batch-object.ts";
import type { Files } from "./files.ts";
import type { JobRuns, Run } from "./job-runs.ts";

/** Batches of requests as OpenAI's API knows them, each a run of jobs; whose they are not don't find them. */
export class Batches {
  readonly #runs: JobRuns;
  readonly #files: Files;

  constructor(runs: JobRuns, files: Files) {
    this.#runs = runs;
    this.#files = files;
  }

  /** @throws ApiError (404 for an unknown file, 403 when the owner has no room for more) */
  async create(owner: string, request: BatchRequest): Promise<object> {
    const { input_file_id: file, endpoint } = request;
    const { bytes } = await this.#files.get(owner, file, "input_file_id");
    await this.#files.checkBatch(owner, bytes);
    const content = await this.#files.content(owner, file);
    const { items, errors } = await readBatchInput(content, endpoint);
    const isRight = errors.length === 0;
    const run = await this.#runs.create(batchKind, isRight ? items : [], {
      id: `batch_${randomUUID().replaceAll("-", "")}`,
      owner,
      window: completionWindow,
      details: { ...request, ...(!isRight && { errors }) },
    });
    return batchObject(run);
  }

  /** @throws ApiError (404) */
  async get(owner: string, id: string): Promise<object> {
    return batchObject(await this.#run(owner, id));
  }

  /**
   * Batches after one of them, the newest first.
   * @throws ApiError (400) when `after` is none of the owner's
   */
  async list(owner: string, limit: number, after: string | undefined): Promise<object> {
    const ids = (await this.#runs.list(batchKind, owner)).map((id) => ({ id }));
    const page = pageAfter(ids, { limit, after }, "a batch");
    const runs = await Promise.all(page.data.map(({ id }) => this.#runs.current(id)));
    return { ...page, data: runs.filter((run) => run !== undefined).map(batchObject) };
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

  async #run(owner: string, id: string): Promise<Run> {
    const run = await this.#runs.current(id);
    if (run?.kind === batchKind && run.owner === owner) return run;
    throw new ApiError(404, `no batch has the id "${id}"`, { code: "batch_not_found" });
  }
}
