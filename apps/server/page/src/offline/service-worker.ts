/** Keeps the page: its own files on installation, others of the build when they are first asked for. */

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
/** The part of a service worker's scope that is used here; TypeScript has it only in place of the DOM. */
interface Scope {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
}

/** Filled in by the build (list-files.ts): all files, and those that the page needs at once. */
declare const builtFiles: { all: string[]; shell: string[] };

const scope = globalThis as unknown as Scope;
const cacheName = "levin-page";
const files = builtFiles;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(["/", ...files.shell]))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldFiles().then(() => scope.clients.claim()));
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname === "/") event.respondWith(newest());
  else if (files.all.includes(pathname)) event.respondWith(kept(request));
});

/** The page of the server; without one, as it was the last time. */
async function newest(): Promise<Response> {
  const cache = await caches.open(cacheName);
  try {
    const response = await fetch("/");
    if (response.ok) await cache.put("/", response.clone());
    return response;
  } catch (error) {
    const old = await cache.match("/");
    if (old) return old;
    throw error;
  }
}

async function kept(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const { pathname } = new URL(request.url);
  const old = await cache.match(pathname);
  if (old) return old;
  const response = await fetch(request);
  if (response.ok) await cache.put(pathname, response.clone());
  return response;
}

async function forgetOldFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  for (const { url } of await cache.keys()) {
    const { pathname } = new URL(url);
    if (pathname !== "/" && !files.all.includes(pathname)) await cache.delete(url);
  }
}
