/** A flag of the command line is wrong; the message names it, what was expected and what was found. */
export class FlagError extends Error {
  override readonly name = "FlagError";
}
