import { readFile } from "node:fs/promises";
import { parseConfig, planModel } from "@levin/model";
import { contextAxis, plot } from "./plot.ts";

// M1's own config.json.
const file = new URL("../../packages/model/src/__fixtures__/m1-config.json", import.meta.url);
const config = parseConfig(JSON.parse(await readFile(file, "utf8")));

// pattern
const pattern = config.layerTypes.map((type) => (type === "lightning" ? "L" : "S")).join("");
// end
console.log(`${pattern.slice(0, 16)} … ${pattern.length} layers`); // → LLLLLLLSLLLLLLLS … 80 layers

// plan
const lengths = Array.from({ length: 11 }, (_, i) => 1024 * 2 ** i);
const { contexts } = planModel(config, lengths);
const sizes = contexts.flatMap(({ length, stateBytes, softmaxTwinStateBytes }) => [
  { tokens: length, layers: "7 lightning : 1 softmax", gigabytes: stateBytes / 1e9 },
  { tokens: length, layers: "all softmax", gigabytes: softmaxTwinStateBytes / 1e9 },
]);
// end
const [hybrid, twin] = sizes.slice(-2).map(({ gigabytes }) => gigabytes.toFixed(0));
console.log(`a million tokens: ${hybrid} GB instead of ${twin}`); // → a million tokens: 43 GB instead of 344

await plot("07-hybrid", sizes, {
  mark: { type: "line", point: true },
  encoding: {
    x: contextAxis,
    y: { field: "gigabytes", type: "quantitative", scale: { type: "log" } },
    color: { field: "layers", type: "nominal" },
  },
});
