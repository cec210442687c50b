import { existsSync, readFileSync } from "node:fs";

/** The ```ts blocks of a README; none when there is no file. */
export function codeBlocks(path: string): string[] {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1]!);
}

/** What the comments promise: `// → value` after each console.log. */
export function promised(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map((match) => match[1]!.trim());
}

/** What the README tells to install, such as `@levin/moe` and its peers. */
export function installed(path: string): string[] {
  const command = readFileSync(path, "utf8").match(/^ *(?:pnpm add|npm install) (@levin\/.*)$/m);
  return command?.[1]!.split(" ") ?? [];
}
