import * as tf from "@tensorflow/tfjs-core";
import { planModel } from "@levin/model";
import { plot } from "./plot.ts";
import { loadSpark } from "./spark.ts";

const { model, prompt } = await loadSpark();
const ids = prompt("What is 58 plus 67?");

// routers
const { routers } = tf.tidy(() => {
  const result = model.forward({ ids: [ids] });
  return {
    routers: result.routers.map(({ experts, weights }) => ({
      experts: experts.arraySync(), // [tokens, 2]: which experts a token goes to
      weights: weights.arraySync(), // [tokens, 2]: how much each of them says
    })),
  };
});
// end

const load = routers.flatMap(({ experts, weights }, layer) =>
  Array.from({ length: model.config.numLocalExperts }, (_, expert) => ({
    layer: layer + 1,
    expert: expert + 1,
    share:
      experts.reduce(
        (sum, chosen, token) =>
          sum + chosen.reduce((s, e, place) => s + (e === expert ? weights[token]![place]! : 0), 0),
        0,
      ) / ids.length,
  })),
);
const total = load.reduce((sum, { share }) => sum + share, 0) / routers.length;
console.log(`the weights of a token sum to ${total.toFixed(3)}`); // → the weights of a token sum to 1.000
const used = routers.map(({ experts }) => new Set(experts.flat()).size);
console.log(
  `${Math.min(...used) > 2 ? "every" : "not every"} layer sends its tokens to more than two experts`,
); // → every layer sends its tokens to more than two experts
const { parameters } = planModel(model.config);
console.log(
  `${(parameters.active / 1e6).toFixed(1)} of ${(parameters.total / 1e6).toFixed(1)} million parameters are computed for a token`,
); // → 1.4 of 3.9 million parameters are computed for a token

await plot("08-mixture-of-experts", load, {
  mark: "rect",
  width: 240,
  encoding: {
    x: { field: "expert", type: "ordinal" },
    y: { field: "layer", type: "ordinal" },
    color: { field: "share", type: "quantitative", scale: { scheme: "blues" } },
  },
});
