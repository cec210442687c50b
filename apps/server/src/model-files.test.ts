import { fileURLToPath } from "node:url";
import { sparkDirectory } from "@levin/spark";
import Fastify, { type FastifyInstance } from "fastify";
import { describe, expect, it } from "vitest";
import { handleErrors } from "./api/error-handling.ts";
import { modelFiles } from "./model-files.ts";

function server(options: { sharedModelBytes?: number; directory?: string } = {}): FastifyInstance {
  const app = Fastify();
  handleErrors(app);
  modelFiles(app, { modelId: "spark", directory: fileURLToPath(sparkDirectory), ...options });
  return app;
}

const status = async (app: FastifyInstance, url: string): Promise<number> =>
  (await app.inject(url)).statusCode;

describe("the files of a model", () => {
  it("are listed with their sizes, and sent whole", async () => {
    const app = server();
    const { id, files } = (await app.inject("/model")).json<{
      id: string;
      files: { name: string; bytes: number }[];
    }>();
    expect(id).toBe("spark");
    expect(files.map(({ name }) => name)).toContain("model.safetensors");
    for (const { name, bytes } of files) {
      const { rawPayload, headers } = await app.inject(`/model/${name}`);
      expect(rawPayload).toHaveLength(bytes);
      expect(headers["content-length"]).toBe(`${bytes}`);
    }
  });

  it("are the model's alone", async () => {
    const app = server();
    for (const name of ["README.md", "..%2Fpackage.json", "%2Fetc%2Fpasswd", "..", "%00"]) {
      expect(await status(app, `/model/${name}`)).toBeGreaterThanOrEqual(400);
      expect(await status(app, `/model/${name}`)).toBeLessThan(500);
    }
  });

  it("are not given away beyond the limit, or without a directory", async () => {
    for (const options of [{ sharedModelBytes: 1e6 }, { sharedModelBytes: 0 }]) {
      expect(await status(server(options), "/model")).toBe(404);
      expect(await status(server(options), "/model/config.json")).toBe(404);
    }
    const app = Fastify();
    handleErrors(app);
    modelFiles(app, { modelId: "scripted" });
    expect(await status(app, "/model")).toBe(404);
  });
});
