import DOMPurify from "dompurify";
import { Marked, type RendererObject, type TokenizerAndRendererExtension } from "marked";

/** Parts that are loaded when a text first needs them. */
export interface Extras {
  /** Code to HTML with `hljs-` classes. */
  highlight?: (code: string, language: string) => string | undefined;
  /** TeX to MathML. */
  math?: (tex: string, display: boolean) => string;
}

/**
 * Markdown to safe HTML. HTML that a model writes is shown as text; images become links, so that no
 * answer makes the page ask another server; what is left goes through DOMPurify.
 */
export function renderMarkdown(text: string, extras: Extras = {}): string {
  const marked = new Marked({
    gfm: true,
    breaks: true,
    renderer: renderer(extras),
    extensions: [blockMath(extras), inlineMath(extras)],
  });
  return DOMPurify.sanitize(marked.parse(text, { async: false }), {
    USE_PROFILES: { html: true, mathMl: true },
    ADD_TAGS: ["semantics", "annotation"],
    ADD_ATTR: ["target", "encoding"],
    FORBID_TAGS: [
      "style",
      "form",
      "input",
      "textarea",
      "select",
      "img",
      "audio",
      "video",
      "picture",
    ],
    FORBID_ATTR: ["style", "id", "name"],
  });
}

function renderer({ highlight }: Extras): RendererObject {
  return {
    html: ({ text }) => escaped(text),
    image: ({ href, text }) => link(href, escaped(text || href)),
    link({ href, tokens }) {
      return link(href, this.parser.parseInline(tokens));
    },
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
    code({ text, lang }) {
      const language = lang?.match(/^\S+/)?.[0] ?? "";
      const html = highlight?.(text, language) ?? escaped(text);
      return (
        `<div class="code"><div class="code-head"><span>${escaped(language || "text")}</span>` +
        `<button type="button" class="copy">Copy</button></div>` +
        `<pre tabindex="0"><code>${html}</code></pre></div>`
      );
    },
    table({ header, rows }) {
      const cells = (row: typeof header, tag: "th" | "td"): string =>
        `<tr>${row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
      const body = rows.map((row) => cells(row, "td")).join("");
      // Wide tables scroll by themselves.
      return `<div class="table" tabindex="0"><table><thead>${cells(header, "th")}</thead><tbody>${body}</tbody></table></div>`;
    },
  };
}

function link(href: string, html: string): string {
  if (!/^(https?:|mailto:)/i.test(href)) return html;
  return `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer">${html}</a>`;
}

const displayMath = /^(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])/;
/** A dollar sign with a number after it is money unless a second one closes it in the line. */
const textMath = /^(?:\$([^\s$](?:[^$\n]*[^\s$\\])?)\$(?!\d)|\\\(([\s\S]+?)\\\))/;

function blockMath(extras: Extras): TokenizerAndRendererExtension {
  return mathExtension(
    "block",
    displayMath,
    extras,
    (source) => source.match(/^(?:\$\$|\\\[)/m)?.index,
  );
}

function inlineMath(extras: Extras): TokenizerAndRendererExtension {
  return mathExtension("inline", textMath, extras, (source) => source.match(/\$|\\\(/)?.index);
}

function mathExtension(
  level: "block" | "inline",
  pattern: RegExp,
  { math }: Extras,
  start: (source: string) => number | undefined,
): TokenizerAndRendererExtension {
  const name = `${level}-math`;
  const display = level === "block";
  return {
    name,
    level,
    start,
    tokenizer(source) {
      const match = pattern.exec(source);
      if (!match) return undefined;
      return { type: name, raw: match[0], text: (match[1] ?? match[2] ?? "").trim() };
    },
    renderer: ({ raw, text }) => {
      const html = math ? math(text as string, display) : escaped(raw);
      return display ? `<p class="display-math">${html}</p>` : html;
    },
  };
}

/** Whether a text may hold formulas, and whether it has code. */
export const mayHaveMath = (text: string): boolean => /\$|\\\(|\\\[/.test(text);
export const hasCode = (text: string): boolean => /```|~~~|^ {4}/m.test(text);

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
