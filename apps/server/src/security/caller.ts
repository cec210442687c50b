import { AsyncLocalStorage } from "node:async_hooks";

/** Whose request is being answered. */
export interface Caller {
  /** Of the API key. */
  readonly id: string;
  readonly name: string;
  /** Counts what was read and written for it. */
  charge(promptTokens: number, completionTokens: number): void;
}

/**
 * The caller for all that runs on a request's behalf. It is not handed through from function to
 * function, so that no route can forget to count.
 */
export const callers = new AsyncLocalStorage<Caller>();

/** To whom belongs what a request leaves behind: the id of its API key; empty without keys. */
export function ownerId(): string {
  return callers.getStore()?.id ?? "";
}
