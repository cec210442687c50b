import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FastifyInstance } from "fastify";
import type { Route } from "./odd-requests.ts";

/** Makes a server, and notes all its routes. */
export function withRoutes(make: () => FastifyInstance): { app: FastifyInstance; routes: Route[] } {
  const routes: Route[] = [];
  const note = (message: unknown): void => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook("onRoute", ({ method, url }) => {
      for (const each of [method].flat()) routes.push({ method: each, url });
    });
  };
  subscribe("fastify.initialization", note);
  try {
    return { app: make(), routes };
  } finally {
    unsubscribe("fastify.initialization", note);
  }
}
