/** Whole seconds, as OpenAI's times are since 1970. */
export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
