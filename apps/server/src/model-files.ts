import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { weightFiles } from "@levin/model/node";
import type { FastifyInstance } from "fastify";
import { ApiError } from "./api/api-error.ts";

/** Files of a model beside its weights; the first two must be there. */
const smallFiles = ["config.json", "tokenizer.json", "tokenizer_config.json"];

interface ModelFile {
  name: string;
  bytes: number;
  /** Changes when the file does. */
  version: string;
}

/**
 * `GET /model` lists the files of the served model, `GET /model/{name}` is one of them: what a browser
 * needs to run the model itself. A model that is larger than the limit is not given away.
 */
export function modelFiles(
  app: FastifyInstance,
  {
    modelId,
    directory,
    sharedModelBytes = 256 * 2 ** 20,
  }: { modelId: string; directory?: string; sharedModelBytes?: number },
): void {
  const list = async (): Promise<ModelFile[]> => {
    const files = directory === undefined ? [] : await filesOf(directory);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    if (files.length > 0 && bytes <= sharedModelBytes) return files;
    throw new ApiError(404, "this server does not share the files of its model");
  };
  app.get("/model", { config: { api: { summary: "The files of the model" } } }, async () => ({
    id: modelId,
    files: await list(),
  }));
  const config = { api: { summary: "A file of the model" } };
  app.get<{ Params: { name: string } }>("/model/:name", { config }, async (request, reply) => {
    const { name } = request.params;
    const file = (await list()).find((other) => other.name === name);
    if (!file) throw new ApiError(404, "the model has no file of this name");
    return reply
      .type("application/octet-stream")
      .header("content-length", file.bytes)
      .header("cache-control", "no-cache")
      .send(createReadStream(join(directory!, name)));
  });
}

async function filesOf(directory: string): Promise<ModelFile[]> {
  const weights = (await weightFiles(directory)).map((path) => basename(path));
  const found = [...smallFiles, ...weights].map(async (name): Promise<ModelFile[]> => {
    const info = await stat(join(directory, name)).catch(() => undefined);
    if (!info) return [];
    return [{ name, bytes: info.size, version: `${info.size}-${Math.trunc(info.mtimeMs)}` }];
  });
  return (await Promise.all(found)).flat();
}
