import { describe, expect, it, vi } from "vitest";
import { upstreamFlags } from "./upstream-flags.ts";
import { upstreamUrl } from "./upstream-url.ts";

describe("--upstream and --upstream-key-env", () => {
  it("take several addresses and the key of a variable", () => {
    vi.stubEnv("SOME_KEY", "secret");
    expect(upstreamFlags(undefined, "SOME_KEY")).toEqual({});
    expect(upstreamFlags("http://a:1, http://b:2/v1", "SOME_KEY")).toEqual({
      upstreams: ["http://a:1", "http://b:2/v1"],
      upstreamKey: "secret",
    });
  });

  it("refuse an empty list and a variable that is not set", () => {
    expect(() => upstreamFlags(" ,")).toThrow("found none");
    expect(() => upstreamFlags("http://a:1", "NOT_SET")).toThrow("NOT_SET, found it not set");
  });
});

describe("the address of an upstream", () => {
  it.each([
    ["http://a:8000", "http://a:8000/"],
    ["http://a:8000/v1/", "http://a:8000/"],
    ["https://a/engines/one/v1", "https://a/engines/one"],
  ])("%s is taken as %s", (text, href) => expect(upstreamUrl(text).href).toBe(href));

  it.each(["a:8000", "ftp://a", "", "http://user:secret@a"])("can't be %j", (text) => {
    expect(() => upstreamUrl(text)).toThrow(/expected (an|the) address/);
    expect(() => upstreamUrl(text)).not.toThrow("secret");
  });
});
