import { setTimeout as sleep } from "node:timers/promises";

/** After a failure: who is gone must not be asked in a busy loop. */
const pause = 100;

/** What became of what clients asked. */
export interface Tally {
  /** Turns that ended well. */
  whole: number;
  /** Why others did not. */
  lost: string[];
}

/** Clients that each do one thing after another while `goesOn` says so; each ends what it began. */
export async function runClients(
  clients: number,
  goesOn: () => boolean,
  turn: () => Promise<void>,
): Promise<Tally> {
  const tally: Tally = { whole: 0, lost: [] };
  const client = async (): Promise<void> => {
    while (goesOn()) {
      try {
        await turn();
        tally.whole += 1;
      } catch (error) {
        tally.lost.push(String(error));
        await sleep(pause);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return tally;
}
