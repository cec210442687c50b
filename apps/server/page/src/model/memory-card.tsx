import type { JSX } from "preact";
import { flopsOf, stateBytesAfter, type ModelFacts } from "./model-facts.ts";
import { inBytes, inFlops } from "./units.ts";

interface Row {
  name: string;
  length: number;
  own: number;
  twin: number;
  inUnits: (value: number) => string;
}

/** Lightning against softmax: what this conversation costs, and what it would cost an all-softmax twin. */
export function MemoryCard({
  facts,
  tokens,
}: {
  facts: ModelFacts;
  /** Of the conversation so far. */
  tokens: number;
}): JSX.Element | null {
  const { contextLength } = facts;
  if (contextLength === undefined) return null;
  const lengths = [tokens, contextLength];
  const rows = [...lengths.flatMap(stateRow(facts)), ...lengths.flatMap(workRow(facts))];
  if (rows.length === 0) return null;
  return (
    <section class="memory" aria-label="Lightning against softmax">
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">This model</th>
            <th scope="col">All softmax</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, length, own, twin, inUnits }, index) => (
            <tr key={index}>
              <th scope="row">
                {name} <small>{length.toLocaleString("en")} tokens</small>
              </th>
              <td>{inUnits(own)}</td>
              <td>{inUnits(twin)}</td>
              <td>{twin === 0 ? "" : `${((100 * own) / twin).toFixed(0)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        Against a twin with softmax attention in every layer: bytes that are kept, with caches in
        bfloat16, and FLOPs of the whole text, by the models' shapes.
      </p>
    </section>
  );
}

const stateRow =
  (facts: ModelFacts) =>
  (length: number): Row[] => {
    const own = stateBytesAfter(facts, length);
    const { softmaxTwinCacheBytesPerToken: perToken } = facts;
    if (own === undefined || perToken === undefined) return [];
    return [{ name: "State", length, own, twin: perToken * length, inUnits: inBytes }];
  };

const workRow =
  ({ flops, softmaxTwinFlops }: ModelFacts) =>
  (length: number): Row[] => {
    if (!flops || !softmaxTwinFlops) return [];
    const [own, twin] = [flopsOf(flops, 0, length), flopsOf(softmaxTwinFlops, 0, length)];
    return [{ name: "Work", length, own, twin, inUnits: inFlops }];
  };
