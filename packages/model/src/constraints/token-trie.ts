/** All tokens of a vocabulary as one tree of their bytes, laid out in the order of a walk. */
export interface TokenTrie {
  /** The byte of each node. */
  bytes: Uint8Array;
  /** How deep each node lies; those of first bytes at 0. */
  depths: Uint16Array;
  /** The first node behind each node's descendants. */
  ends: Int32Array;
  /** Tokens that end at each node, from `tokenStarts[node]` to `tokenStarts[node + 1]`. */
  tokenStarts: Int32Array;
  tokens: Int32Array;
  /** Depth of the deepest node. */
  deepest: number;
}

/** @param tokens bytes of each token by id; undefined and empty ones are left out */
export function tokenTrie(tokens: readonly (Uint8Array | undefined)[]): TokenTrie {
  const ids = tokens.flatMap((token, id) => (token && token.length > 0 ? [id] : []));
  ids.sort((a, b) => compareBytes(tokens[a]!, tokens[b]!));
  const bytes: number[] = [];
  const depths: number[] = [];
  const ends: number[] = [];
  const tokensAt: number[] = [];
  const path: number[] = [];
  let previous: Uint8Array = new Uint8Array();
  for (const id of ids) {
    const token = tokens[id]!;
    const shared = sharedLength(previous, token);
    while (path.length > shared) ends[path.pop()!] = bytes.length;
    for (let depth = shared; depth < token.length; depth++) {
      path.push(bytes.length);
      bytes.push(token[depth]!);
      depths.push(depth);
      tokensAt.push(0);
    }
    // Tokens of equal bytes share a node.
    tokensAt[path.at(-1)!]! += 1;
    previous = token;
  }
  for (const node of path) ends[node] = bytes.length;
  const tokenStarts = new Int32Array(bytes.length + 1);
  tokensAt.forEach((count, node) => (tokenStarts[node + 1] = tokenStarts[node]! + count));
  return {
    bytes: Uint8Array.from(bytes),
    depths: Uint16Array.from(depths),
    ends: Int32Array.from(ends),
    tokenStarts,
    tokens: Int32Array.from(ids),
    deepest: depths.reduce((deepest, depth) => Math.max(deepest, depth), 0),
  };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = sharedLength(a, b);
  return (a[shared] ?? -1) - (b[shared] ?? -1);
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let shared = 0;
  while (shared < a.length && a[shared] === b[shared]) shared++;
  return shared;
}
