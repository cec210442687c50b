import { errors } from "undici";
import { ApiError } from "../api/api-error.ts";
import type { UpstreamReply } from "./upstream-reply.ts";

/** What went wrong with an upstream, and what may be done about it. */
interface FailureFacts {
  /** Another try may succeed, and does no harm: nothing was sent to the client yet. */
  isRetryable: boolean;
  /** Speaks against the upstream; one that is merely busy is healthy. */
  isSick: boolean;
  /** Milliseconds that the upstream asked to wait. */
  retryAfter?: number | undefined;
  /** What the upstream answered, if it did. */
  reply?: UpstreamReply | undefined;
}

/** An upstream did not answer, or with a status that speaks of its own state. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  readonly facts: FailureFacts;
  readonly apiError: ApiError;

  constructor(apiError: ApiError, facts: FailureFacts, cause?: unknown) {
    super(apiError.message, { cause });
    this.apiError = apiError;
    this.facts = facts;
  }
}

/** Too much asked, or not there for now: the same request may succeed elsewhere or later. */
const retryableStatuses = [429, 502, 503, 504];
/** What proxies say when the engine behind them is gone. */
const sickStatuses = [502, 504];

/** The failure that a complete reply stands for, if it does. */
export function failureOfReply(reply: UpstreamReply): UpstreamFailure | undefined {
  const { status, headers } = reply;
  if (!retryableStatuses.includes(status)) return undefined;
  const apiError = new ApiError(status, `the upstream answered with status ${status}`, {
    code: "upstream_failed",
  });
  return new UpstreamFailure(apiError, {
    isRetryable: true,
    isSick: sickStatuses.includes(status),
    retryAfter: retryAfter(headers["retry-after"]),
    reply,
  });
}

/** A failure of the connection; anything else, such as the client's departure, as it is. */
export function failureOfConnection(error: unknown): unknown {
  const isKnown = error instanceof ApiError || error instanceof UpstreamFailure;
  if (isKnown || !(error instanceof Error) || error.name === "AbortError") return error;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    const apiError = new ApiError(504, "the upstream took too long", { code: "upstream_timeout" });
    // It may still compute what was asked: once more would double its load.
    return new UpstreamFailure(apiError, { isRetryable: false, isSick: true }, error);
  }
  const apiError = new ApiError(502, "the connection to the upstream failed", {
    code: "upstream_unreachable",
  });
  return new UpstreamFailure(apiError, { isRetryable: true, isSick: true }, error);
}

/** None of the upstreams that have the model may be asked now. */
export function noUpstream(): UpstreamFailure {
  const apiError = new ApiError(503, "no upstream is available now; try again later", {
    code: "upstream_unavailable",
  });
  return new UpstreamFailure(apiError, { isRetryable: true, isSick: false });
}

/** Milliseconds of a Retry-After header: seconds, or a date. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  if (typeof header !== "string") return undefined;
  const wait = /^\d+$/.test(header.trim())
    ? Number(header) * 1000
    : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
