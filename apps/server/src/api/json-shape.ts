import { ApiError } from "./api-error.ts";

/** How deep lists and objects may lie in each other. */
const deepest = 128;
/** Lists and objects, and names in them: each costs as much to read as a kilobyte of text. */
const mostParts = 100_000;
/** What stands in lists: as many token ids as wait in a whole queue, and some. */
const mostItemsOfRequest = 1_100_000;

const quote = 0x22;
const backslash = 0x5c;
/** What a byte outside of strings does; most do nothing. */
const [nothing, beginsString, opens, closes, names, separates] = [0, 1, 2, 3, 4, 5];
const does = new Uint8Array(256).fill(nothing);
for (const [marks, what] of [
  ['"', beginsString],
  ["[{", opens],
  ["]}", closes],
  [":", names],
  [",", separates],
] as const) {
  for (const mark of Buffer.from(marks)) does[mark] = what;
}

/**
 * Refuses JSON of more parts than any request needs, before it is read: reading millions of them
 * takes seconds in which this thread answers nobody. What is no JSON is for the parser to refuse.
 *
 * @throws ApiError (400)
 */
export function checkJsonShape(json: Uint8Array, mostItems = mostItemsOfRequest): void {
  let depth = 0;
  let parts = 0;
  let items = 0;
  for (let i = 0; i < json.length; i++) {
    const what = does[json[i]!];
    if (what === nothing) continue;
    if (what === beginsString) i = endOfString(json, i);
    else if (what === separates) items += 1;
    else if (what === closes) depth -= 1;
    else {
      parts += 1;
      if (what === names) continue;
      depth += 1;
      if (depth > deepest) throw tooMuch(`lists and objects at most ${deepest} deep`);
    }
  }
  if (parts > mostParts) throw tooMuch(`at most ${mostParts} lists, objects and names in them`);
  if (items > mostItems) throw tooMuch(`at most ${mostItems} items of lists`);
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== quote) i += json[i] === backslash ? 2 : 1;
  return i;
}

function tooMuch(expected: string): ApiError {
  return new ApiError(400, `request body: expected ${expected}, found more`, {
    code: "invalid_json",
  });
}
