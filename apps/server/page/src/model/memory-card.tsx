import type { JSX } from "preact";
import { stateBytesAfter, type ModelFacts } from "./model-facts.ts";
import { inBytes } from "./units.ts";

/** Lightning against softmax: the state of this conversation, and what an all-softmax twin would keep. */
export function MemoryCard({
  facts,
  tokens,
}: {
  facts: ModelFacts;
  /** Of the conversation so far. */
  tokens: number;
}): JSX.Element | null {
  const { contextLength, softmaxTwinCacheBytesPerToken: twinBytes } = facts;
  if (contextLength === undefined || twinBytes === undefined) return null;
  const rows = [tokens, contextLength].map((length) => ({
    length,
    own: stateBytesAfter(facts, length) ?? 0,
    twin: twinBytes * length,
  }));
  return (
    <section class="memory" aria-label="Memory: lightning against softmax">
      <table>
        <thead>
          <tr>
            <th scope="col">Tokens</th>
            <th scope="col">This model's state</th>
            <th scope="col">All-softmax twin</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ length, own, twin }, index) => (
            <tr key={index}>
              <th scope="row">{length.toLocaleString("en")}</th>
              <td data-testid="own-bytes">{inBytes(own)}</td>
              <td data-testid="twin-bytes">{inBytes(twin)}</td>
              <td>{twin === 0 ? "" : `${((100 * own) / twin).toFixed(0)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>The twin has the same layers, all with softmax attention; caches counted in bfloat16.</p>
    </section>
  );
}
