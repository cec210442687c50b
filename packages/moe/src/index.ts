export type { Expert, GroupedRouting, Routing } from "@levin/kernels";
export { DenseFeedForward } from "./dense-feed-forward.ts";
export { loadBalancingLoss } from "./load-balancing-loss.ts";
export { routerZLoss } from "./router-z-loss.ts";
export {
  MixtureOfExperts,
  mixtureOfExpertsShapes,
  type MixtureOfExpertsConfig,
  type MixtureOfExpertsParameters,
  type RouterOutput,
} from "./mixture-of-experts.ts";
