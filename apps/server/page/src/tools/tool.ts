/** A function that a model may call, as OpenAI's API describes it. */
export interface FunctionDefinition {
  name: string;
  description?: string;
  /** JSON Schema of its arguments. */
  parameters?: Record<string, unknown>;
}

/** A tool of the page itself: it runs in this tab, and asks nobody. */
export interface BuiltInTool {
  title: string;
  definition: FunctionDefinition;
  /**
   * @param values as the model wrote them, unchecked
   * @throws Error with words for the model
   */
  run(values: Record<string, unknown>): string;
}
