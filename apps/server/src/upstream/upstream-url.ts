/** Raised for an address that is not one of an engine; says what is expected. */
export class UpstreamUrlError extends Error {
  override readonly name = "UpstreamUrlError";
}

/**
 * The address of an engine without `/v1`, as clients and vendors write it with or without.
 * @throws UpstreamUrlError
 */
export function upstreamUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UpstreamUrlError(
      `expected an address such as http://10.0.0.5:8000 for an upstream, found "${text}"`,
    );
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new UpstreamUrlError(
      "expected the address of an upstream without user, password or query: " +
        "its key comes from the environment (--upstream-key-env)",
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  return url;
}
