/**
 * Resolves in a new task of the event loop, so that a server gets to its other requests between
 * tokens. Timers would add a millisecond or more to each token.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof globalThis.setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
