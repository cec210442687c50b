/** No byte of UTF-8. */
export const addedTokenSign = 0xff;

/**
 * What an automaton over bytes reads for an added token: a byte that no text has, then its text. So
 * it matches where a constraint names it, and nowhere else.
 */
export function addedTokenBytes(text: string): Uint8Array {
  return Uint8Array.of(addedTokenSign, ...new TextEncoder().encode(text));
}
