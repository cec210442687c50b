import { z } from "zod";

/** The body of every failed request, in OpenAI's form. */
export const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.enum([
        "invalid_request_error",
        "rate_limit_error",
        "requests",
        "tokens",
        "server_error",
      ]),
      /** The parameter that is wrong. */
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: "Error" });

export type ApiErrorBody = z.output<typeof errorSchema>;
type ApiErrorType = ApiErrorBody["error"]["type"];

/** An error that a client is told about, with its HTTP status. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;
  readonly type: ApiErrorType;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | null;

  constructor(
    status: number,
    message: string,
    {
      param = null,
      code = null,
      retryAfter = null,
      type = typeOf(status),
    }: {
      param?: string | null;
      code?: string | null;
      retryAfter?: number | null;
      type?: ApiErrorType;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.param = param;
    this.code = code;
    this.retryAfter = retryAfter;
    this.type = type;
  }

  toBody(): ApiErrorBody {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

function typeOf(status: number): ApiErrorType {
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** The first problem of a request body: which parameter, what was expected. */
export function invalidBody(error: z.ZodError): ApiError {
  const [issue] = error.issues;
  if (!issue) return new ApiError(400, "the request body is not valid");
  const path = pathName(issue.path);
  if (issue.code === "unrecognized_keys") {
    const key = path ? `${path}.${issue.keys[0]}` : issue.keys[0]!;
    return new ApiError(400, `unknown parameter: ${key}`, {
      param: key,
      code: "unknown_parameter",
    });
  }
  const code = issue.code === "custom" ? ((issue.params?.["code"] as string) ?? null) : null;
  const message = path ? `${path}: ${issue.message}` : `request body: ${issue.message}`;
  return new ApiError(400, message, { param: path || null, code });
}

/** `["messages", 0, "content"]` as `messages[0].content`. */
function pathName(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}
