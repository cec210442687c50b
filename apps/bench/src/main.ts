import { Command } from "commander";
import { addBatch } from "./batch-command.ts";
import { addLimits } from "./limits/limits-command.ts";
import { addLong } from "./long-command.ts";
import { addPeers } from "./peers/peers-command.ts";
import { addThinking } from "./thinking/thinking-command.ts";
import { addTraining } from "./training-command.ts";
import { addTwins } from "./twins-command.ts";

const program = new Command("bench").description("side-by-side measurements, printed as ratios");
addTwins(program);
addPeers(program);
addTraining(program);
addBatch(program);
addLimits(program);
addLong(program);
addThinking(program);
await program.parseAsync();
