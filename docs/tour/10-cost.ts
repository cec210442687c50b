import { readFile } from "node:fs/promises";
import { parseConfig, planModel } from "@levin/model";
import { contextAxis, plot } from "./plot.ts";

const file = new URL("../../packages/model/src/__fixtures__/m1-config.json", import.meta.url);
const config = parseConfig(JSON.parse(await readFile(file, "utf8")));

// cost
const lengths = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024].map((k) => k * 1024);
const { contexts } = planModel(config, lengths);
const cost = contexts.flatMap(({ length, flopsPerToken, softmaxTwinFlopsPerToken }) => [
  { tokens: length, layers: "7 lightning : 1 softmax", teraflops: flopsPerToken / 1e12 },
  { tokens: length, layers: "all softmax", teraflops: softmaxTwinFlopsPerToken / 1e12 },
]);
// end

const share = (length: number): string => {
  const { flopsPerToken, softmaxTwinFlopsPerToken } = contexts.find((c) => c.length === length)!;
  return `${((100 * flopsPerToken) / softmaxTwinFlopsPerToken).toFixed(1)} %`;
};
console.log(`FLOPs of a token at 1 K: ${share(1024)} of the twin's`); // → FLOPs of a token at 1 K: 122.3 % of the twin's
console.log(`at 64 K: ${share(65_536)}, at 1 M: ${share(1_048_576)}`); // → at 64 K: 47.1 %, at 1 M: 15.5 %

await plot("10-cost", cost, {
  mark: { type: "line", point: true },
  encoding: {
    x: contextAxis,
    y: {
      field: "teraflops",
      type: "quantitative",
      scale: { type: "log" },
      title: "TFLOPs of one more token",
    },
    color: { field: "layers", type: "nominal" },
  },
});
