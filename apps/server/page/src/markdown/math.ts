import katex from "katex";

/** TeX to MathML, which browsers draw themselves: no fonts, no styles. */
export function math(tex: string, display: boolean): string {
  return katex.renderToString(tex, {
    output: "mathml",
    displayMode: display,
    throwOnError: false,
    trust: false,
    maxSize: 20,
    maxExpand: 200,
  });
}
