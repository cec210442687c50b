import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** A plot as the text of an SVG file. */
export function renderSvg(spec: TopLevelSpec): Promise<string> {
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}
