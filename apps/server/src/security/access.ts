import { homedir } from "node:os";
import { join } from "node:path";
import { ListenError } from "../listen-error.ts";
import { givenKey } from "./api-key.ts";
import { KeyFolder } from "./key-folder.ts";
import { KeyRing } from "./key-ring.ts";
import { UsageBook } from "./key-usage.ts";
import { isLoopback } from "./loopback.ts";
import type { SecuritySettings } from "./protect.ts";

/** Who may ask a server that a program starts. */
export interface AccessOptions {
  /** Folder of the API keys; default `LEVIN_KEYS` or `~/.levin/keys`. */
  keys?: string | undefined;
  /** Names under which clients may reach the server, beside `localhost` and addresses. */
  allowHost?: readonly string[] | undefined;
  /** Origins of web pages elsewhere that may ask; `*`: any. */
  cors?: readonly string[] | undefined;
  /** Listens on addresses that other machines reach without an API key too. */
  insecure?: boolean | undefined;
}

/** Where API keys are kept if nothing else is said. */
export function defaultKeyDirectory(): string {
  return process.env["LEVIN_KEYS"] ?? join(homedir(), ".levin", "keys");
}

/** The use of keys is counted beside them. */
export function usageOf(keyDirectory: string): UsageBook {
  return new UsageBook(join(keyDirectory, "usage"));
}

/**
 * The settings of a server that listens on `host`, with the keys of a folder and of `LEVIN_API_KEY`.
 * @throws ListenError when other machines reach it and there is no key; ApiKeyError
 */
export function openAccess(host: string, options: AccessOptions): SecuritySettings {
  const directory = options.keys ?? defaultKeyDirectory();
  const given = process.env["LEVIN_API_KEY"];
  const keys = new KeyRing(
    new KeyFolder(directory),
    given === undefined ? [] : [givenKey(given, "LEVIN_API_KEY")],
  );
  if (!isLoopback(host) && !keys.isLocked && options.insecure !== true) {
    throw new ListenError(
      `other machines can reach ${host}, and there is no API key: make one by ` +
        "`levin keys add NAME` (or `levin-server keys add NAME`), or set LEVIN_API_KEY; " +
        "--insecure lets everyone ask who reaches the server",
    );
  }
  return { keys, usage: usageOf(directory), hosts: options.allowHost, origins: options.cors };
}
