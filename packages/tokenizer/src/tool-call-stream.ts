/** A piece of an answer: of its text, or of a call of a function. */
export type AnswerPiece =
  | { content: string }
  /** A call begins; `call` counts from 0. */
  | { call: number; name: string }
  /** JSON text that goes on with the arguments of a call. */
  | { call: number; arguments: string };

const opening = "<tool_calls>";
const closing = "</tool_calls>";

/** The beginning of a call as M1 writes it, up to its arguments. */
const head = /^\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\{)/;

/** Characters of a call in another order of which the end is waited for. */
const longestWait = 20_000;

/**
 * Reads M1's calls out of an answer as it comes: text is given on at once but for what may begin
 * `<tool_calls>`, and arguments are given on while they are written. What stands between the marks
 * and is no call is text.
 */
export class ToolCallStream {
  #state: "text" | "between" | "arguments" = "text";
  #held = "";
  #json = new JsonEnd();
  /** Calls that have begun. */
  #calls = 0;
  /** The brackets around the call whose arguments were read. */
  #inCall = false;

  /** What more text brings. */
  push(text: string): AnswerPiece[] {
    this.#held += text;
    const pieces: AnswerPiece[] = [];
    while (this.#advance(pieces));
    return pieces;
  }

  /** What is left at the end of the answer. */
  end(): AnswerPiece[] {
    const rest = this.#held;
    this.#held = "";
    const isText = this.#calls === 0 ? rest !== "" : this.#state === "text" && rest.trim() !== "";
    return isText ? [{ content: rest }] : [];
  }

  /** Takes one thing from the held text; false when it needs more. */
  #advance(pieces: AnswerPiece[]): boolean {
    if (this.#held === "") return false;
    if (this.#state === "text") return this.#readText(pieces);
    return this.#state === "between" ? this.#readBetween(pieces) : this.#readArguments(pieces);
  }

  #readText(pieces: AnswerPiece[]): boolean {
    const at = this.#held.indexOf(opening);
    if (at < 0) {
      const safe = this.#held.length - beginningAtEnd(this.#held, opening);
      this.#give(pieces, this.#held.slice(0, safe).trimEnd().length);
      return false;
    }
    // White space before the mark belongs to it.
    this.#give(pieces, this.#held.slice(0, at).trimEnd().length);
    this.#held = this.#held.trimStart().slice(opening.length);
    this.#state = "between";
    return true;
  }

  #readBetween(pieces: AnswerPiece[]): boolean {
    this.#held = this.#held.trimStart();
    if (this.#inCall && this.#held.startsWith("}")) {
      this.#held = this.#held.slice(1);
      this.#inCall = false;
      return true;
    }
    if (this.#held.startsWith(closing)) {
      this.#held = this.#held.slice(closing.length).trimStart();
      this.#state = "text";
      return true;
    }
    if (closing.startsWith(this.#held)) return false;
    const found = head.exec(this.#held);
    if (found) {
      this.#held = this.#held.slice(found[0].length);
      pieces.push({ call: this.#calls, name: JSON.parse(found[1]!) as string });
      this.#json = new JsonEnd();
      this.#state = "arguments";
      return true;
    }
    if (!this.#held.startsWith("{")) return this.#backToText();
    const end = new JsonEnd().find(this.#held);
    if (end === undefined) {
      return this.#held.length > longestWait ? this.#backToText() : false;
    }
    const call = wholeCall(this.#held.slice(0, end));
    if (!call) return this.#backToText();
    pieces.push({ call: this.#calls, name: call.name });
    pieces.push({ call: this.#calls, arguments: call.arguments });
    this.#calls += 1;
    this.#held = this.#held.slice(end);
    return true;
  }

  /** What is held is given on before any mark is looked for again. */
  #backToText(): boolean {
    this.#state = "text";
    return true;
  }

  #readArguments(pieces: AnswerPiece[]): boolean {
    const end = this.#json.find(this.#held);
    const json = this.#held.slice(0, end);
    if (json !== "") pieces.push({ call: this.#calls, arguments: json });
    this.#held = this.#held.slice(json.length);
    if (end === undefined) return false;
    this.#calls += 1;
    this.#inCall = true;
    this.#state = "between";
    return true;
  }

  #give(pieces: AnswerPiece[], length: number): void {
    if (length > 0) pieces.push({ content: this.#held.slice(0, length) });
    this.#held = this.#held.slice(length);
  }
}

/** Length of the longest end of `text` that begins `mark`. */
function beginningAtEnd(text: string, mark: string): number {
  for (let length = Math.min(mark.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}

/** A call with its parts in another order, or without arguments. */
function wholeCall(json: string): { name: string; arguments: string } | undefined {
  try {
    const { name, arguments: values = {} } = JSON.parse(json) as Record<string, unknown>;
    return typeof name === "string" ? { name, arguments: JSON.stringify(values) } : undefined;
  } catch {
    return undefined;
  }
}

/** Finds where a JSON object ends that comes in pieces. */
class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The index behind the end in this piece; undefined when it is in a later one. */
  find(piece: string): number | undefined {
    for (let i = 0; i < piece.length; i++) {
      const character = piece[i]!;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (character === "\\") this.#escaped = true;
        else if (character === '"') this.#inString = false;
      } else if (character === '"') this.#inString = true;
      else if (character === "{" || character === "[") this.#depth += 1;
      else if (character === "}" || character === "]") this.#depth -= 1;
      if (this.#depth === 0 && !this.#inString) return i + 1;
    }
    return undefined;
  }
}
