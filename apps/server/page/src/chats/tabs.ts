import { newId } from "./new-id.ts";

/** Missing on plain http of another machine. */
const locks = navigator.locks as LockManager | undefined;

/** Whether a tab can tell that another one is gone. */
export const canWatchTabs = locks !== undefined;

const lockOf = (tab: string): string => `levin-tab-${tab}`;

/** Names this tab, which holds a lock of its own for as long as it is open. */
export const thisTab = newId();
void locks?.request(lockOf(thisTab), () => new Promise(() => {}));

/** Settles when another tab is closed or breaks down. */
export async function untilClosed(tab: string): Promise<void> {
  await locks?.request(lockOf(tab), { mode: "shared" }, () => undefined);
}
