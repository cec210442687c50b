import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ApiError } from "./api-error.ts";

/** Errors of the model's packages by their names: a server before other engines does not load those. */
const modelErrors: Record<string, { status: number; code?: string }> = {
  PromptTooLongError: { status: 400, code: "context_length_exceeded" },
  ConstraintError: { status: 400 },
  GenerationOptionsError: { status: 400 },
  TokenBatchError: { status: 400 },
  TokenizerError: { status: 400 },
  OutOfMemoryError: { status: 503, code: "out_of_memory" },
  StageError: { status: 503, code: "stage_failed" },
};

/** Any error as the one a client is told about; what it cannot mend is a plain 500. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Error && Object.hasOwn(modelErrors, error.name)) {
    const { status, code = null } = modelErrors[error.name]!;
    return new ApiError(status, error.message, { code });
  }
  const { statusCode, code, message } = (error ?? {}) as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new ApiError(statusCode, message ?? "bad request", {
      code: parserCodes[code ?? ""] ?? null,
    });
  }
  return new ApiError(500, "the server failed to answer; its log says why", {
    code: "internal_error",
  });
}

const parserCodes: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "request_too_large",
  FST_ERR_CTP_INVALID_JSON_BODY: "invalid_json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_json",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
};

/** Whether nothing failed and nobody is left to answer: the client went away while it waited. */
export function isDeparture(error: unknown, reply: FastifyReply): boolean {
  return reply.raw.destroyed && error instanceof Error && error.name === "AbortError";
}

/** Fastify's own answer to requests that reach no route, such as a malformed URL. */
export function answerFrameworkError(
  error: FastifyError,
  _: FastifyRequest,
  reply: FastifyReply,
): void {
  const apiError = toApiError(error);
  void reply.code(apiError.status).send(apiError.toBody());
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Answers every failure in OpenAI's form: bad bodies, unknown routes, wrong methods, crashes. */
export function handleErrors(app: FastifyInstance): void {
  // Of text Fastify would make a body that is no object; 415 says what is wrong.
  app.removeContentTypeParser("text/plain");
  app.setErrorHandler((error, request, reply) => {
    if (isDeparture(error, reply)) return;
    const apiError = toApiError(error);
    // 501: nothing failed, and whoever asks could fill the log.
    if (apiError.status >= 500 && apiError.status !== 501) {
      request.log.error({ err: error }, "request failed");
    }
    if (apiError.retryAfter !== null) void reply.header("retry-after", apiError.retryAfter);
    void reply.code(apiError.status).send(apiError.toBody());
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0]!;
    const allowed = methods.filter((method) => app.findRoute({ method, url: path }) !== null);
    const { method } = request;
    if (allowed.length > 0 && !allowed.includes(method)) {
      const message = `expected ${allowed.join(" or ")} for ${path}, found ${method}`;
      const error = new ApiError(405, message, { code: "method_not_allowed" });
      return reply.code(405).header("allow", allowed.join(", ")).send(error.toBody());
    }
    const error = new ApiError(404, `unknown route: ${method} ${path}`, { code: "unknown_url" });
    return reply.code(404).send(error.toBody());
  });
}
