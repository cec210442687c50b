import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { root } from "./workspace.ts";

const run = promisify(execFile);
const guides = join(root, "docs/guides");

/** Every ```sh block of a guide, in order. */
function commands(name: string): string {
  const text = readFileSync(join(guides, name), "utf8");
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1]!).join("\n");
}

/** `npm run` as the guides use it, from source and with the fewest steps, problems and tokens. */
const prelude = `
set -e
few_problems() {
  sed -E 's/"(promptsPerIteration|groupSize|problemsPerTask)": [0-9]+/"\\1": 2/
    s/"maxNewTokens": [0-9]+/"maxNewTokens": 32/' "$1" > few.json
  mv few.json "$1"
}
npm() {
  local main="$ROOT/apps/$([ "$2" = levin ] && echo cli || echo bench)/src/main.ts"
  shift 3
  local few=()
  case "$*" in
    *" --init"*) ;;
    "train "*) set -- "\${@/#--live/--live=0}"; few_problems "$2"; few=(--steps 2) ;;
    "reinforce "*) few_problems "$2"; few=(--iterations 1) ;;
    "eval "*) few=(--count 1 --max-tokens 32) ;;
    "generate "*) few=(--max-tokens 32) ;;
    "thinking "*) few=(--count 1 --budgets 0,16 --answer-tokens 16 --samples 1,2 --sample-budget 16 --timed 1 --long 32) ;;
    "serve "*) few=(--port 0) ;;
  esac
  echo "ran: $*"
  if [ "$1" = serve ]; then
    "$NODE" --conditions=@levin/source "$main" "$@" "\${few[@]}" > served.txt &
    until grep -q "http://" served.txt; do kill -0 $!; sleep 0.1; done
    cat served.txt
    kill -INT $!
    wait $!
  else
    "$NODE" --conditions=@levin/source "$main" "$@" "\${few[@]}" < /dev/null
  fi
}
`;

describe.each(readdirSync(guides))("%s", (name) => {
  it("gives commands that run one after the other", { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "guide-"));
    try {
      const script = commands(name);
      const given = script.match(/^npm run /gm)?.length ?? 0;
      const env = { ...process.env, ROOT: root, NODE: process.execPath };
      const { stdout } = await run("bash", ["-c", prelude + script], { cwd: folder, env });
      expect(given).toBeGreaterThan(3);
      expect(stdout.match(/ran: /g)).toHaveLength(given);
      expect(stdout).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
