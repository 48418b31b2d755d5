// The `markdown` block: the common part of Markdown, enough for a failure record.

import { el, link } from "./dom.js";
import { withEmoji } from "./emoji.js";

const BLOCKS = [fence, heading, rule, table, quote, list, paragraph];

const INLINE = new RegExp(
  [
    /`(?<code>[^`]+)`/,
    /\*\*(?<strong>.+?)\*\*/,
    /__(?<strong2>.+?)__/,
    /~~(?<s>.+?)~~/,
    /\[(?<label>[^\]]*)\]\((?<address>[^)\s]+)\)/,
    /\*(?<em>[^*\s][^*]*)\*/,
    /(?<![\p{L}\p{N}])_(?<em2>[^_\s][^_]*)_(?![\p{L}\p{N}])/u,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
  "u",
);

/** Return nodes for Markdown `text`. */
export function markdown(text) {
  const rest = text.replaceAll("\r\n", "\n").split("\n");
  const nodes = [];
  while (rest.length) {
    if (rest[0].trim() === "") rest.shift();
    else nodes.push(takeBlock(rest));
  }
  return el("div", { class: "markdown" }, nodes);
}

/** Remove one block's lines from the front of `rest` and return its node. */
function takeBlock(rest) {
  for (const take of BLOCKS) {
    const node = take(rest);
    if (node) return node;
  }
  return null;
}

function fence(rest) {
  if (!rest[0].startsWith("```")) return null;
  rest.shift();
  const code = takeWhile(rest, (line) => !line.startsWith("```"));
  rest.shift();
  return el("pre", {}, code.join("\n"));
}

function heading(rest) {
  const match = /^(#{1,6})\s+(.*?)\s*#*$/.exec(rest[0]);
  if (!match) return null;
  rest.shift();
  // The page itself owns h1 and h2.
  return el(`h${Math.min(match[1].length + 2, 6)}`, {}, inline(match[2]));
}

function rule(rest) {
  if (!/^\s*([-*_])(\s*\1){2,}\s*$/.test(rest[0])) return null;
  rest.shift();
  return el("hr");
}

function table(rest) {
  if (!rest[0].includes("|") || !/^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(rest[1] ?? ""))
    return null;
  const [head, , ...body] = takeWhile(rest, (line) => line.includes("|")).map(cells);
  return el(
    "div",
    { class: "table-scroll" },
    el(
      "table",
      {},
      el("thead", {}, row(head, "th")),
      el(
        "tbody",
        {},
        body.map((line) => row(line, "td")),
      ),
    ),
  );
}

function cells(line) {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split("|")
    .map((cell) => cell.trim());
}

function row(texts, tag) {
  return el(
    "tr",
    {},
    texts.map((text) => el(tag, {}, inline(text))),
  );
}

function quote(rest) {
  const quoted = takeWhile(rest, (line) => line.startsWith(">"));
  if (!quoted.length) return null;
  return el(
    "blockquote",
    {},
    quoted.map((line) => el("div", {}, inline(line.replace(/^> ?/, "")))),
  );
}

function list(rest) {
  const items = takeWhile(rest, (line) => ITEM.test(line));
  if (!items.length) return null;
  return el(/^\s*\d/.test(items[0]) ? "ol" : "ul", {}, items.map(listItem));
}

const ITEM = /^(\s*)(?:[-*+•]|\d+[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/;

function listItem(line) {
  const [, spaces, tick, text] = ITEM.exec(line);
  const indent = `indent-${Math.min(Math.floor(spaces.length / 2), 8)}`;
  if (tick === undefined) return el("li", { class: indent }, inline(text));
  return el("li", { class: `${indent} task` }, tick === " " ? "☐ " : "☑ ", inline(text));
}

function paragraph(rest) {
  const first = rest.shift();
  const more = takeWhile(
    rest,
    (line) => line.trim() !== "" && !/^(#{1,6}\s|>|```)/.test(line) && !ITEM.test(line),
  );
  return el(
    "p",
    {},
    [first, ...more].flatMap((line, index) => [index ? el("br") : null, ...inline(line)]),
  );
}

function inline(text) {
  const match = INLINE.exec(text);
  if (!match) return [withEmoji(text)];
  const before = withEmoji(text.slice(0, match.index));
  return [before, span(match.groups), ...inline(text.slice(match.index + match[0].length))];
}

function span(found) {
  if (found.code !== undefined) return el("code", {}, found.code);
  if (found.address !== undefined) return link(found.address, inline(found.label));
  if (found.s !== undefined) return el("s", {}, inline(found.s));
  const strong = found.strong ?? found.strong2;
  return strong === undefined
    ? el("em", {}, inline(found.em ?? found.em2))
    : el("strong", {}, inline(strong));
}

/** Remove and return the lines at the front of `rest` for which `accept` holds. */
function takeWhile(rest, accept) {
  const stop = rest.findIndex((line) => !accept(line));
  return rest.splice(0, stop < 0 ? rest.length : stop);
}
