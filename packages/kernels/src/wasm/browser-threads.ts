import type { SpawnWorker } from "./fused-engine.ts";

const workerSource = `
  onmessage = ({ data: { module, memory, control, index } }) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    exports.setControl(control, 1);
    exports.work(index);
  };`;

/** A worker of the browser; a page's policy must permit workers from `blob:`. */
export const spawnBrowserWorker: SpawnWorker = (start) => {
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  // A worker has no origin to name, unlike a window.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  new Worker(url).postMessage(start);
  URL.revokeObjectURL(url);
};

/** Only workers may sleep; a page's main thread waits awake. */
export function maySleep(): boolean {
  return typeof document === "undefined";
}
