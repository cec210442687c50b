import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** A plot of some figures over the steps; figures that are missing at a step leave no gap. */
export class Curve {
  readonly #names: readonly string[];
  #data: [number[], ...(number | null)[][]];
  readonly #plot: uPlot;

  /** @param highest upper end of the scale, which then begins at 0 */
  constructor(
    parent: HTMLElement,
    title: string,
    series: Record<string, string>,
    highest?: number,
  ) {
    this.#names = Object.keys(series);
    this.#data = this.#empty();
    const box = document.createElement("section");
    box.className = "plot";
    const heading = document.createElement("h2");
    heading.textContent = title;
    const canvas = document.createElement("div");
    box.append(heading, canvas);
    parent.append(box);
    const color = (name: string): string =>
      getComputedStyle(document.documentElement).getPropertyValue(name);
    const axis = { stroke: color("--quiet"), grid: { stroke: color("--edge"), width: 1 } };
    this.#plot = new uPlot(
      {
        width: canvas.clientWidth,
        height: 220,
        scales: {
          x: { time: false },
          y: highest === undefined ? {} : { range: [0, highest] },
        },
        axes: [axis, { ...axis, size: 64 }],
        series: [
          { label: "step" },
          ...Object.values(series).map((label, i) => ({
            label,
            stroke: color(i === 0 ? "--line" : "--second-line"),
            width: 1.5,
            spanGaps: true,
          })),
        ],
      },
      this.#data,
      canvas,
    );
    new ResizeObserver(() =>
      this.#plot.setSize({ width: canvas.clientWidth, height: 220 }),
    ).observe(canvas);
  }

  /** Adds what lines of the metrics say of these figures. */
  add(lines: readonly Record<string, unknown>[], whole: boolean): void {
    if (whole) this.#data = this.#empty();
    for (const line of lines) {
      const values = this.#names.map((name) => line[name]);
      if (!values.some((value) => typeof value === "number")) continue;
      this.#data[0].push(line["step"] as number);
      values.forEach((value, i) =>
        (this.#data[i + 1] as (number | null)[]).push(typeof value === "number" ? value : null),
      );
    }
    this.#plot.setData(this.#data);
  }

  #empty(): [number[], ...(number | null)[][]] {
    return [[], ...this.#names.map(() => [])];
  }
}
