/**
 * WGSL that reads keys or values where a cache keeps them: `fn {name}At(pair, position, i) -> f32` of the
 * inputs `{name}0`, `{name}1`, … with lengths `uniforms.length0`, ….
 */
export function segmentsAt(name: string, segments: number): string {
  const reads = Array.from(
    { length: segments },
    (_, s) => `
  if (at < uniforms.length${s}) {
    return ${name}${s}[(pair * uniforms.length${s} + at) * uniforms.headDim + i];
  }
  at -= uniforms.length${s};`,
  );
  return `fn ${name}At(pair: i32, position: i32, i: i32) -> f32 {
  var at = position;${reads.join("")}
  return 0.0;
}`;
}

/** Score of a key that a query does not see: its exponential is 0, yet rows of only such keys stay finite. */
const hiddenScore = "-1e30";

/** `fn seen(batch, query, key, score) -> f32`: the score, or that of a hidden key. */
export function seenScore(masked: boolean): string {
  const padding = "mask[batch * uniforms.total + key] == 0.0";
  return `fn seen(batch: i32, query: i32, key: i32, score: f32) -> f32 {
  if (key > uniforms.total - uniforms.queries + query) { return ${hiddenScore}; }
  ${masked ? `if (${padding}) { return ${hiddenScore}; }` : ""}
  return score;
}`;
}
