// Sorts the choices of a routing by expert, so that each expert's tokens are multiplied together.
// A choice is token · k + j; its place is its position in expert order.

/** Bytes of {@link groupByExpert}'s tables: places, choices, and the first place of each expert. */
export function groupBytes(choices: i32, experts: i32): usize {
  return (<usize>(2 * choices + experts + 1)) << 2;
}

/** Addresses of the tables inside their memory. */
// @ts-ignore: decorator
@inline
export function placesIn(groups: usize): usize {
  return groups;
}

// @ts-ignore: decorator
@inline
export function choicesIn(groups: usize, choices: i32): usize {
  return groups + ((<usize>choices) << 2);
}

// @ts-ignore: decorator
@inline
export function startsIn(groups: usize, choices: i32): usize {
  return groups + ((<usize>(2 * choices)) << 2);
}

/** Counting sort of `chosen`, int32 `[choices]`, into the tables at `groups`. */
export function groupByExpert(chosen: usize, choices: i32, experts: i32, groups: usize): void {
  const places = placesIn(groups);
  const order = choicesIn(groups, choices);
  const starts = startsIn(groups, choices);
  memory.fill(starts, 0, (<usize>(experts + 1)) << 2);
  for (let choice = 0; choice < choices; choice++) {
    const expert = load<i32>(chosen + ((<usize>choice) << 2));
    // An expert that is none would be counted in memory of someone else.
    if (<u32>expert >= <u32>experts) unreachable();
    const next = starts + ((<usize>(expert + 1)) << 2);
    store<i32>(next, load<i32>(next) + 1);
  }
  for (let expert = 0; expert < experts; expert++) {
    const start = starts + ((<usize>expert) << 2);
    store<i32>(start, load<i32>(start, 4) + load<i32>(start), 4);
  }
  // Each start runs to the end of its group while places are dealt, and is set back after.
  for (let choice = 0; choice < choices; choice++) {
    const start = starts + ((<usize>load<i32>(chosen + ((<usize>choice) << 2))) << 2);
    const place = load<i32>(start);
    store<i32>(places + ((<usize>choice) << 2), place);
    store<i32>(order + ((<usize>place) << 2), choice);
    store<i32>(start, place + 1);
  }
  for (let expert = experts; expert > 0; expert--) {
    const start = starts + ((<usize>expert) << 2);
    store<i32>(start, load<i32>(start - 4));
  }
  store<i32>(starts, 0);
}
