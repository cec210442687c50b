import { Curve } from "./curve.ts";
import { followLog } from "./log-reader.ts";
import "./style.css";

/** Milliseconds between two looks at the logs. */
const pause = 1000;
/** Samples that are shown. */
const shown = 8;

const plots = document.querySelector<HTMLElement>("#plots")!;
const figures = document.querySelector<HTMLElement>("#figures")!;
const list = document.querySelector<HTMLElement>("#samples")!;
const curves = [
  new Curve(plots, "Loss", { crossEntropy: "training", heldOutLoss: "held out" }),
  new Curve(plots, "Right answers", { accuracy: "held out, greedy", reward: "drawn" }, 1),
  new Curve(plots, "Learning rate", { learningRate: "rate" }),
  new Curve(plots, "Speed", { tokensPerSecond: "tokens/s" }),
];
const metrics = followLog("metrics");
const samples = followLog("samples");
let newest: Record<string, unknown>[] = [];

async function look(): Promise<void> {
  const { lines, whole } = await metrics();
  for (const line of lines) {
    if (typeof line["seconds"] !== "number") continue;
    line["tokensPerSecond"] = (line["tokens"] as number) / line["seconds"];
  }
  if (lines.length > 0 || whole) for (const curve of curves) curve.add(lines, whole);
  const last = lines.findLast((line) => "crossEntropy" in line || "reward" in line);
  if (last) figures.textContent = "reward" in last ? describeDrawn(last) : describe(last);
  const news = await samples();
  if (news.lines.length > 0) showSamples([...(news.whole ? [] : newest), ...news.lines]);
}

function describe(line: Record<string, unknown>): string {
  const number = (name: string, digits: number): string => (line[name] as number).toFixed(digits);
  const stage = line["stage"] === undefined ? "" : ` · stage ${line["stage"] as number}`;
  return `Step ${number("step", 0)} · loss ${number("crossEntropy", 4)} · ${number("tokensPerSecond", 0)} tokens/s${stage}`;
}

function describeDrawn({ step, reward, length, entropy }: Record<string, unknown>): string {
  return `Iteration ${step as number} · reward ${(reward as number).toFixed(3)} · ${(length as number).toFixed(0)} tokens an answer · entropy ${(entropy as number).toFixed(3)}`;
}

function showSamples(all: Record<string, unknown>[]): void {
  newest = all.slice(-shown);
  list.replaceChildren(
    ...newest.toReversed().map(({ step, source, prompt, reply, right }) => {
      const item = document.createElement("li");
      const head = document.createElement("small");
      const verdict = right === undefined ? "" : right ? " · right" : " · wrong";
      head.textContent = `step ${step as number} · ${source as string}${verdict}\n`;
      const answer = document.createElement("strong");
      answer.textContent = (reply as string).trim();
      item.append(head, `${prompt as string}\n`, answer);
      return item;
    }),
  );
}

for (;;) {
  try {
    await look();
  } catch {
    figures.textContent = figures.textContent.replace(/( · not connected)?$/, " · not connected");
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
}
