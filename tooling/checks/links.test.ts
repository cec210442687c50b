import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "./workspace.ts";

const pages = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .trim()
  .split("\n")
  .filter((page) => existsSync(join(root, page)));

const withoutCode = (page: string): string =>
  readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```|`[^`\n]*`/gm, "");

/** Anchors of a page's headings, as they are made of their words. */
function anchors(page: string): string[] {
  const headings = readFileSync(join(root, page), "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

/** What is wrong with a link of a page, if anything. */
function fault(page: string, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path, anchor] = link.split("#");
  const target = path ? join(dirname(page), path) : page;
  if (!existsSync(join(root, target))) return `${link}: no such file`;
  const isPage = statSync(join(root, target)).isFile() && target.endsWith(".md");
  if (anchor && isPage && !anchors(target).includes(anchor)) return `${link}: no such heading`;
  return undefined;
}

describe.each(pages)("%s", (page) => {
  it("has no dead links", () => {
    const links = [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    expect(links.map((link) => fault(page, link)).filter(Boolean)).toEqual([]);
  });
});
