/**
 * The printable stand-ins of byte-level BPE (GPT-2): each byte is written as one character, so that
 * a vocabulary is plain text. Printable Latin-1 bytes stand for themselves, the rest from U+0100 on.
 */
const isPrintable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const inGpt2Order = [...bytes.filter(isPrintable), ...bytes.filter((byte) => !isPrintable(byte))];

/** The 256 stand-ins in the order of GPT-2 style vocabularies. */
export const byteCharacters: readonly string[] = inGpt2Order.map((byte, index) =>
  isPrintable(byte) ? String.fromCharCode(byte) : String.fromCharCode(256 + index - 188),
);

const characterOfByte = new Map(inGpt2Order.map((byte, index) => [byte, byteCharacters[index]!]));
const byteOfCharacter = new Map(inGpt2Order.map((byte, index) => [byteCharacters[index]!, byte]));

/** Text as the stand-ins of its UTF-8 bytes. */
export function toByteCharacters(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => characterOfByte.get(byte)!).join("");
}

/** The bytes behind stand-ins; undefined when a character is none. */
export function fromByteCharacters(token: string): Uint8Array | undefined {
  const result = Array.from(token, (character) => byteOfCharacter.get(character));
  return result.includes(undefined) ? undefined : Uint8Array.from(result as number[]);
}
