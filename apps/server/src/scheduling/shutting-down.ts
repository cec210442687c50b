import { ApiError } from "../api/api-error.ts";

/** 503: the server closes. */
export function shuttingDown(): ApiError {
  return new ApiError(503, "the server is shutting down", { code: "shutting_down" });
}
