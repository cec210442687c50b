import type { ResponseQuota } from "../api/responses/response-store.ts";
import { flagAmount, given } from "../flag-amount.ts";
import { FlagError } from "../flag-error.ts";
import type { SessionLimits } from "./session-limits.ts";
import { day, type StateQuota } from "./state-quota.ts";

/** Flags about sessions, as the command line gives them. */
export const sessionFlags = {
  data: { type: "string" },
  database: { type: "string" },
  sessions: { type: "string" },
  "sessions-per-key": { type: "string" },
  "session-bytes": { type: "string" },
  "session-bytes-per-key": { type: "string" },
  "session-states": { type: "string" },
  "session-state-bytes": { type: "string" },
  "session-state-days": { type: "string" },
  "response-bytes": { type: "string" },
  "response-days": { type: "string" },
} as const;

type SessionFlags = { [Flag in keyof typeof sessionFlags]?: string | undefined };

/** Where sessions and responses are kept, and how much of them. */
export interface SessionOptions {
  /** Directory for sessions and responses; it is one server's. Default: in memory, until the server ends. */
  data?: string | undefined;
  /** `postgres://…` for those of several servers, in place of a directory. */
  database?: string | undefined;
  sessionLimits?: Partial<SessionLimits> | undefined;
  stateQuota?: Partial<StateQuota> | undefined;
  responseQuota?: Partial<ResponseQuota> | undefined;
}

/** @throws FlagError when an amount is no whole number above 0, or a database is not PostgreSQL */
export function sessionOptions(flags: SessionFlags): SessionOptions {
  const database = flags.database ?? process.env["LEVIN_DATABASE"];
  // The address may hold a password, so it is not told.
  if (database !== undefined && !/^postgres(ql)?:\/\//.test(database)) {
    throw new FlagError("--database: expected an address that begins with postgres://");
  }
  const amount = (flag: keyof SessionFlags) => flagAmount(flag, flags[flag]);
  const daysOf = (flag: keyof SessionFlags) => {
    const days = amount(flag);
    return days === undefined ? undefined : days * day;
  };
  return {
    data: flags.data,
    database,
    sessionLimits: given({
      perKey: amount("sessions-per-key"),
      total: amount("sessions"),
      bytes: amount("session-bytes"),
      bytesPerKey: amount("session-bytes-per-key"),
    }),
    stateQuota: given({
      perSession: amount("session-states"),
      bytes: amount("session-state-bytes"),
      age: daysOf("session-state-days"),
    }),
    responseQuota: given({ bytes: amount("response-bytes"), age: daysOf("response-days") }),
  };
}
