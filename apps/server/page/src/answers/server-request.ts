/** The API key that requests to the server show; undefined shows none. */
let apiKey: string | undefined;

export function showKey(key: string): void {
  apiKey = key === "" ? undefined : key;
}

/** `fetch` of a path of this server, with the API key that was given. */
export function serverRequest(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (apiKey !== undefined) headers.set("authorization", `Bearer ${apiKey}`);
  return fetch(path, { ...init, headers });
}
