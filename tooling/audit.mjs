// What a release brings along: known vulnerabilities and licences of all that its packages install.
// Exits with 1 for a vulnerability of this severity or above, or a licence that is not on the list.

import { spawnSync } from "node:child_process";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const severity = "moderate";
const permissive = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Python-2.0",
  "Unlicense",
]);

const root = resolve(fileURLToPath(import.meta.url), "../..");

function pnpm(...args) {
  const { stdout, stderr } = spawnSync("pnpm", args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, PATH: join(root, "node_modules/.bin") + delimiter + process.env.PATH },
    shell: process.platform === "win32",
  });
  try {
    return { json: JSON.parse(stdout) };
  } catch {
    return { problem: `${stderr}${stdout}`.trim() };
  }
}

/** Whether an SPDX expression leaves a choice of permissive licences alone. */
function isPermissive(expression) {
  return expression
    .replaceAll(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((name) => permissive.has(name.trim())));
}

function auditVulnerabilities() {
  const { json, problem } = pnpm("audit", "--prod", "--json", "--audit-level", severity);
  if (json?.metadata === undefined) {
    console.log("vulnerabilities: NOT CHECKED, the registry answered no audit; use one that does");
    console.log((json ? JSON.stringify(json) : problem).replaceAll(/^/gm, "  ").slice(0, 500));
    return true;
  }
  const found = Object.values(json.advisories ?? {});
  for (const { module_name, severity: how, title, url } of found) {
    console.log(`  ${how}: ${module_name}: ${title} (${url})`);
  }
  const { dependencies, totalDependencies } = json.metadata;
  const count = totalDependencies ?? dependencies ?? "all";
  console.log(
    `vulnerabilities: ${found.length} of ${severity} severity or above (${count} packages)`,
  );
  return found.length === 0;
}

function auditLicences() {
  const { json, problem } = pnpm("--recursive", "licenses", "list", "--prod", "--json");
  const licences = Object.entries(json ?? {});
  if (licences.length === 0) {
    console.log(
      `licences: NOT CHECKED, nothing is installed; pnpm install first\n${problem ?? ""}`,
    );
    return false;
  }
  const refused = licences.filter(([licence]) => !isPermissive(licence));
  for (const [licence, packages] of refused) {
    console.log(`  ${licence}: ${packages.map(({ name }) => name).join(", ")}`);
  }
  const total = licences.reduce((sum, [, packages]) => sum + packages.length, 0);
  console.log(
    `licences: ${total} packages under ${licences.length}, ${refused.length} not permissive`,
  );
  return refused.length === 0;
}

const results = [auditVulnerabilities(), auditLicences()];
if (results.includes(false)) process.exitCode = 1;
