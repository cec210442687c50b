import type { JSX } from "preact";

/** Questions of kinds that the embedded model has learnt; the sum is one kept out of its training. */
const examples = [
  { kind: "Addition", question: "What is 6284 + 2967?" },
  { kind: "Sorting", question: "Sort these numbers in ascending order: 42, 7, 19, 23." },
  { kind: "Counting letters", question: 'How many a\'s are in "banana"?' },
  {
    kind: "Word problem",
    question: "Tom has 14 apples. Tom buys 9 more apples. How many apples does Tom have now?",
  },
] as const;

/** What an empty conversation shows. */
export function Welcome({
  ready,
  onPick,
}: {
  ready: boolean;
  onPick: (question: string) => void;
}): JSX.Element {
  return (
    <section class="welcome">
      <h2>Long thoughts, small memory</h2>
      <p>A lightning-attention model thinks before it answers. Watch it.</p>
      <ul>
        {examples.map(({ kind, question }) => (
          <li key={kind}>
            <button type="button" disabled={!ready} onClick={() => onPick(question)}>
              <span class="kind">{kind}</span>
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
