import type { Progress, StepReport } from "@levin/training";
import { SingleBar } from "cli-progress";
import type { Accuracy } from "../ask-problems.ts";
import type { HeldOutEvaluation, Sample } from "../training/held-out-evaluation.ts";

type Show = (report: StepReport, progress: Progress) => void;

/** A line for each step. */
export function showLines({ json }: { json?: boolean }): Show {
  return (report, progress) => {
    const line = json ? JSON.stringify({ ...report, ...progress }) : describe(report, progress);
    console.log(line);
  };
}

/** A bar for people who watch. */
export function showBar(steps: number): Show {
  const bar = new SingleBar({ format: "{bar} {percentage}% {figures}" });
  return (report, progress) => {
    if (!bar.isActive) bar.start(steps, report.step - 1);
    bar.update(report.step, { figures: describe(report, progress) });
    if (report.step === steps) bar.stop();
  };
}

/** Held-out figures and samples, as they come. */
export function showEvaluation({
  json,
}: {
  json?: boolean;
}): (step: number, evaluation: HeldOutEvaluation, samples: readonly Sample[]) => void {
  return (step, evaluation, samples) => {
    if (json) return console.log(JSON.stringify({ step, ...evaluation, samples }));
    const { heldOutLoss, heldOutLosses, accuracy } = evaluation;
    const each = Object.entries(heldOutLosses).map(([name, loss]) => `${name} ${loss.toFixed(4)}`);
    const right = accuracy === undefined ? "" : ` | ${(100 * accuracy).toFixed(1)} % right`;
    console.log(`held out | loss ${heldOutLoss.toFixed(4)} (${each.join(", ")})${right}`);
    samples.forEach(showSample);
  };
}

/** Accuracy on held-out problems and samples, as they come. */
export function showAccuracy({
  json,
}: {
  json?: boolean;
}): (step: number, accuracy: Accuracy, samples: readonly Sample[]) => void {
  return (step, { accuracy, accuracies }, samples) => {
    if (json) return console.log(JSON.stringify({ step, accuracy, accuracies, samples }));
    const percent = (share: number): string => (100 * share).toFixed(0);
    const each = Object.entries(accuracies).map(([task, share]) => `${task} ${percent(share)}`);
    console.log(`held out after ${step}: ${(100 * accuracy).toFixed(1)} % (${each.join(", ")})`);
    samples.forEach(showSample);
  };
}

function showSample({ prompt, reply, right }: Sample): void {
  const verdict = right === undefined ? "" : right ? " (right)" : " (wrong)";
  console.log(`  ${shorten(prompt)} -> ${shorten(reply)}${verdict}`);
}

function shorten(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > 100 ? `…${line.slice(-99)}` : line;
}

function describe(report: StepReport, { crossEntropy, tokensPerSecond, eta }: Progress): string {
  return [
    `step ${report.step}`,
    `loss ${crossEntropy.toFixed(4)}`,
    `${tokensPerSecond.toFixed(0)} tokens/s`,
    `${(eta / 60).toFixed(1)} min left`,
  ].join(" | ");
}
