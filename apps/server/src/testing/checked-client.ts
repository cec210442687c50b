import { Ajv2020 } from "ajv/dist/2020.js";

/** Asks a server, and holds what it says against its own document. */
export class CheckedClient {
  readonly #url: string;
  readonly #key: string;
  readonly #ajv = new Ajv2020({ strict: false });
  /** Operations that were asked, as `GET /ready`. */
  readonly asked = new Set<string>();

  constructor(url: string, key: string, openApi: object) {
    this.#url = url;
    this.#key = key;
    this.#ajv.addSchema(openApi, "document");
  }

  /** Whether a value is what the schema at a place in the document says; else what is wrong. */
  conforms(place: readonly string[], value: unknown): string {
    const escaped = place.map((part) =>
      encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")),
    );
    const validate = this.#ajv.getSchema(`document#/${escaped.join("/")}/schema`);
    if (!validate) return `no schema at ${place.join(" ")}`;
    return validate(value) ? "yes" : this.#ajv.errorsText(validate.errors);
  }

  /**
   * The body of a reply, the last event of a stream.
   * @param operation such as `GET /v1/files/{id}`
   * @throws when it is a failure, or not what the document says
   */
  async send(operation: string, body?: unknown, path?: string): Promise<unknown> {
    const [method, template] = operation.split(" ") as [string, string];
    this.asked.add(operation);
    const response = await fetch(this.#url + (path ?? template), {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`expected a reply to ${operation}, found ${text}`);
    const type = response.headers.get("content-type")!.split(";")[0]!;
    const values =
      type === "text/event-stream"
        ? [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown)
        : [JSON.parse(text)];
    const place = ["paths", template, method.toLowerCase(), "responses", "200", "content", type];
    for (const value of values) {
      const outcome = this.conforms(place, value);
      if (outcome !== "yes")
        throw new Error(`${operation}: ${outcome} in ${JSON.stringify(value)}`);
    }
    if (values.length === 0) throw new Error(`expected events of ${operation}, found none`);
    return values.at(-1);
  }
}
