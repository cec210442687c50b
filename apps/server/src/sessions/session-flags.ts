import { flagAmount } from "../flag-amount.ts";
import { FlagError } from "../flag-error.ts";
import { day, type StateQuota } from "./state-quota.ts";

/** Flags about sessions, as the command line gives them. */
export const sessionFlags = {
  data: { type: "string" },
  database: { type: "string" },
  "session-states": { type: "string" },
  "session-state-bytes": { type: "string" },
  "session-state-days": { type: "string" },
} as const;

type SessionFlags = { [Flag in keyof typeof sessionFlags]?: string | undefined };

/** Where sessions are kept, and how much of their states. */
export interface SessionOptions {
  /** Directory for sessions; it is one server's. Default: in memory, until the server ends. */
  data?: string | undefined;
  /** `postgres://…` for the sessions of several servers, in place of a directory. */
  database?: string | undefined;
  stateQuota?: Partial<StateQuota> | undefined;
}

/** @throws FlagError when an amount is no whole number above 0, or a database is not PostgreSQL */
export function sessionOptions(flags: SessionFlags): SessionOptions {
  const database = flags.database ?? process.env["LEVIN_DATABASE"];
  // The address may hold a password, so it is not told.
  if (database !== undefined && !/^postgres(ql)?:\/\//.test(database)) {
    throw new FlagError("--database: expected an address that begins with postgres://");
  }
  const perSession = flagAmount("session-states", flags["session-states"]);
  const bytes = flagAmount("session-state-bytes", flags["session-state-bytes"]);
  const days = flagAmount("session-state-days", flags["session-state-days"]);
  return {
    data: flags.data,
    database,
    stateQuota: {
      ...(perSession !== undefined && { perSession }),
      ...(bytes !== undefined && { bytes }),
      ...(days !== undefined && { age: days * day }),
    },
  };
}
