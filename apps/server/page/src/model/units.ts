/** Bytes for people, in powers of 1024. */
export function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${rounded(bytes / 1024 ** power)} ${units[power - 1]!}`;
}

/** Parameters for people. */
export function inMillions(parameters: number): string {
  const isLarge = parameters >= 1e9;
  return `${rounded(parameters / (isLarge ? 1e9 : 1e6))} ${isLarge ? "B" : "M"} parameters`;
}

/** Floating-point operations for people. */
export function inFlops(operations: number): string {
  const units = ["", "k", "M", "G", "T", "P", "E"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, operations)) / 3));
  return `${rounded(operations / 1000 ** power)} ${units[power]!}FLOP`;
}

function rounded(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}
