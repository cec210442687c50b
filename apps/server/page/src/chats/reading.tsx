import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Answer } from "./conversation.ts";

/** Seconds; shorter waits need neither a clock nor a bar. */
const patience = 0.5;

/** While the prompt is read: how far, where the model tells; otherwise how long it has taken. */
export function Reading({ answer: { read } }: { answer: Answer }): JSX.Element {
  const seconds = useSeconds();
  return (
    <div class="note reading">
      <p>
        {read
          ? `Reading… ${read.done.toLocaleString("en")} of ${read.total.toLocaleString("en")} tokens`
          : "Reading…"}
        {seconds >= patience && ` · ${seconds.toFixed(1)} s`}
      </p>
      {read && seconds >= patience && (
        <progress aria-label="Prompt read" max={read.total} value={read.done} />
      )}
    </div>
  );
}

function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const started = performance.now();
    const timer = setInterval(() => setSeconds((performance.now() - started) / 1000), 100);
    return () => clearInterval(timer);
  }, []);
  return seconds;
}
