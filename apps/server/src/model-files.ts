import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { weightFiles } from "@levin/model/node";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ApiError } from "./api/api-error.ts";
import { about } from "./api/openapi.ts";

/** Files of a model beside its weights; the first two must be there. */
const smallFiles = ["config.json", "tokenizer.json", "tokenizer_config.json"];

const modelFileSchema = z.object({
  name: z.string(),
  bytes: z.int().min(0),
  /** Changes when the file does. */
  version: z.string(),
});

type ModelFile = z.output<typeof modelFileSchema>;

const filesRoute = about("The files of the model", {
  reply: z.object({ id: z.string(), files: z.array(modelFileSchema) }),
});
const fileRoute = about("A file of the model", { reply: "application/octet-stream" });

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
  app.get("/model", filesRoute, async () => ({ id: modelId, files: await list() }));
  app.get<{ Params: { name: string } }>("/model/:name", fileRoute, async (request, reply) => {
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
