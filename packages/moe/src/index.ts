export type { Expert, Routing } from "@levin/kernels";
export { loadBalancingLoss } from "./load-balancing-loss.ts";
export { routerZLoss } from "./router-z-loss.ts";
export {
  MixtureOfExperts,
  mixtureOfExpertsShapes,
  type MixtureOfExpertsConfig,
  type MixtureOfExpertsParameters,
  type RouterOutput,
} from "./mixture-of-experts.ts";
