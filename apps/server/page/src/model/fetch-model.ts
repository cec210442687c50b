import { serverRequest } from "../answers/server-request.ts";

/** The files of a model, by their names. */
export type ModelFiles = ReadonlyMap<string, Uint8Array>;

interface ModelList {
  id: string;
  files: { name: string; bytes: number; version: string }[];
}

const listUrl = "/model";

/**
 * The served model's files: fetched once, then kept in this browser, where they work without a server.
 *
 * @param onProgress is told bytes
 * @throws Error when there is neither a server that shares them nor a copy
 */
export async function fetchModel(
  onProgress: (done: number, total: number) => void,
): Promise<{ id: string; files: ModelFiles }> {
  const cache = await caches.open("levin-model");
  const { id, files } = await modelList(cache);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const found = new Map<string, Uint8Array>();
  for (const { name, version } of files) {
    const url = `${listUrl}/${name}?version=${version}`;
    const response = (await cache.match(url)) ?? (await fetchInto(cache, url));
    const bytes = await read(response, (more) => onProgress((done += more), total));
    found.set(name, bytes);
  }
  await forgetOthers(cache, files);
  return { id, files: found };
}

/** From the server, which may have another model by now; without one, as it was the last time. */
async function modelList(cache: Cache): Promise<ModelList> {
  const response = await serverRequest(listUrl).catch(() => undefined);
  if (response?.ok) {
    await cache.put(listUrl, response.clone());
    return (await response.json()) as ModelList;
  }
  const kept = await cache.match(listUrl);
  if (kept && !response) return (await kept.json()) as ModelList;
  throw new Error(
    response?.status === 404
      ? "this server does not share its model: it may be too large for a browser"
      : "there is no server, and no copy of its model in this browser",
  );
}

async function fetchInto(cache: Cache, url: string): Promise<Response> {
  const response = await serverRequest(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  await cache.put(url, response);
  return (await cache.match(url))!;
}

async function read(response: Response, onMore: (bytes: number) => void): Promise<Uint8Array> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  onMore(bytes.byteLength);
  return bytes;
}

async function forgetOthers(cache: Cache, files: ModelList["files"]): Promise<void> {
  const current = new Set([
    listUrl,
    ...files.map(({ name, version }) => `${listUrl}/${name}?version=${version}`),
  ]);
  for (const { url } of await cache.keys()) {
    const { pathname, search } = new URL(url);
    if (!current.has(pathname + search)) await cache.delete(url);
  }
}
