import { Command } from "commander";
import { addPeers } from "./peers-command.ts";
import { addTraining } from "./training-command.ts";
import { addTwins } from "./twins-command.ts";

const program = new Command("bench").description("side-by-side measurements, printed as ratios");
addTwins(program);
addPeers(program);
addTraining(program);
await program.parseAsync();
