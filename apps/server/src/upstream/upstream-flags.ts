import { UpstreamUrlError } from "./upstream-url.ts";

/**
 * What `--upstream URL,URL` and `--upstream-key-env NAME` mean; nothing without the first.
 * @throws UpstreamUrlError when no address is given, or the variable is not set
 */
export function upstreamFlags(
  list: string | undefined,
  keyVariable?: string,
): { upstreams?: string[]; upstreamKey?: string } {
  if (list === undefined) return {};
  const upstreams = list
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");
  if (upstreams.length === 0) {
    throw new UpstreamUrlError("expected an address behind --upstream, found none");
  }
  if (keyVariable === undefined) return { upstreams };
  const upstreamKey = process.env[keyVariable];
  if (upstreamKey) return { upstreams, upstreamKey };
  throw new UpstreamUrlError(
    `expected the key of the upstreams in the variable ${keyVariable}, found it not set`,
  );
}
