import { batchKind, outputs } from "./batch-object.ts";
import type { KeptFile } from "./file-object.ts";
import type { FileUse } from "./file-limits.ts";
import { lineOf, type JobRuns, type Run } from "./job-runs.ts";

type OutputName = keyof typeof outputs;

/** The files that batches write: put together from the outcomes of their lines when they are read. */
export class OutputFiles {
  readonly #runs: JobRuns;

  constructor(runs: JobRuns) {
    this.#runs = runs;
  }

  async get(owner: string, id: string): Promise<KeptFile | undefined> {
    return (await this.#find(owner, id))?.file;
  }

  async content(owner: string, id: string): Promise<AsyncGenerator<Buffer> | undefined> {
    const found = await this.#find(owner, id);
    return found && this.#lines(found);
  }

  async list(owner: string): Promise<KeptFile[]> {
    return (await this.#ofOwner(owner)).flatMap(filesOf);
  }

  /** Whether the owner had such a file; its outcomes are gone then. */
  async delete(owner: string, id: string): Promise<boolean> {
    const found = await this.#find(owner, id);
    if (found) await this.#runs.drop(found.run.id, outputs[found.name]);
    return found !== undefined;
  }

  /** What an owner's batches take: requests that wait, and what was replied. */
  async use(owner: string): Promise<FileUse> {
    const runs = await this.#ofOwner(owner);
    const bytes = runs.map(({ itemBytes, bytes: replied, dropped }) => {
      const kept = Object.values(outputs).filter((status) => !dropped.includes(status));
      return kept.reduce((sum, status) => sum + replied[status], itemBytes);
    });
    return {
      files: runs.flatMap(filesOf).length,
      bytes: bytes.reduce((sum, each) => sum + each, 0),
    };
  }

  async #ofOwner(owner: string): Promise<Run[]> {
    const ids = await this.#runs.list(batchKind, owner);
    const runs = await Promise.all(ids.map((id) => this.#runs.get(id)));
    return runs.filter((run) => run !== undefined);
  }

  async #find(owner: string, id: string) {
    const [, batch, name] = /^file-(batch_\w+)-(output|errors)$/.exec(id) ?? [];
    const run = batch === undefined ? undefined : await this.#runs.get(batch);
    if (run?.kind !== batchKind || run.owner !== owner) return undefined;
    const file = filesOf(run).find((one) => one.id === id);
    return file && { run, file, name: name as OutputName };
  }

  async *#lines({ run, name }: { run: Run; name: OutputName }): AsyncGenerator<Buffer> {
    for await (const outcome of this.#runs.outcomes(run.id)) {
      if (outcome.status === outputs[name]) yield Buffer.from(lineOf(outcome.value));
    }
  }
}

/** The files of a batch that were not deleted; before it is over it has none. */
function filesOf({ id, finishedAt, counts, bytes, dropped }: Run): KeptFile[] {
  if (finishedAt === undefined) return [];
  return (Object.keys(outputs) as OutputName[])
    .filter((name) => counts[outputs[name]] > 0 && !dropped.includes(outputs[name]))
    .map((name) => ({
      id: `file-${id}-${name}`,
      bytes: bytes[outputs[name]],
      createdAt: finishedAt,
      filename: `${id}_${name}.jsonl`,
      purpose: "batch_output",
    }));
}
