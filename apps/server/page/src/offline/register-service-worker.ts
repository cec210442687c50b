/** Settles when what the page fetches from now on is kept, or cannot be kept (plain http). */
let cached: Promise<unknown> = Promise.resolve();

/** Keeps the page in the browser, so that it opens without its server. */
export function registerServiceWorker(): void {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  // While the page is developed, old files would only confuse.
  if (!container || import.meta.env.MODE !== "production") return;
  const registered = container.register("/service-worker.js");
  if (container.controller) return;
  cached = Promise.race([
    new Promise((resolve) => container.addEventListener("controllerchange", resolve)),
    registered.then(
      () => new Promise((resolve) => setTimeout(resolve, longestWait)),
      () => undefined,
    ),
  ]);
}

/** Milliseconds for a service worker to take the page over. */
const longestWait = 10_000;

export async function whenCached(): Promise<void> {
  await cached;
}
