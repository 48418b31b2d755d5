// `rich_text` blocks: sections, lists, quotes and preformatted text, already parsed by whoever sent them.

import { el, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { broadcast, channelMention, groupMention, moment, userMention } from "./references.js";

export function richText(block, context) {
  return el(
    "div",
    { class: "rich-text" },
    block.elements.map((element) => container(element, context)),
  );
}

const CONTAINERS = {
  rich_text_section: (element, context) => el("div", { class: "rich-section" }, leaves(element, context)),
  rich_text_quote: (element, context) => el("blockquote", {}, leaves(element, context)),
  rich_text_preformatted: (element, context) => el("pre", {}, leaves(element, context)),
  rich_text_list: list,
};

const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf) => link(leaf.url, leaf.text ?? leaf.url),
  emoji: (leaf) => el("span", { class: "emoji", title: `:${leaf.name}:` }, emojiOf(leaf)),
  user: (leaf, context) => userMention(leaf.user_id, context),
  usergroup: (leaf) => groupMention(leaf.usergroup_id),
  channel: (leaf, context) => channelMention(leaf.channel_id, context),
  broadcast: (leaf) => broadcast(leaf.range),
  date: (leaf, context) =>
    moment(
      { ts: leaf.timestamp, template: leaf.format, fallback: leaf.fallback, address: leaf.url },
      context,
    ),
};

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code" };

function container(element, context) {
  const draw = CONTAINERS[element.type];
  return draw ? draw(element, context) : context.unsupported(element.type);
}

function list(element, context) {
  const ordered = element.style === "ordered";
  const indent = `indent-${Math.min(element.indent ?? 0, 8)}`;
  const items = element.elements.map((item) => el("li", {}, leaves(item, context)));
  return el(
    ordered ? "ol" : "ul",
    { class: indent, start: ordered ? (element.offset ?? 0) + 1 : null },
    items,
  );
}

function leaves(element, context) {
  return element.elements.map((leaf) => {
    const draw = LEAVES[leaf.type];
    return draw ? withStyle(draw(leaf, context), leaf.style) : context.unsupported(leaf.type);
  });
}

function withStyle(node, style = {}) {
  return Object.keys(STYLES).reduce(
    (inner, name) => (style[name] ? el(STYLES[name], {}, inner) : inner),
    node,
  );
}

function emojiOf(leaf) {
  if (!leaf.unicode) return emoji(leaf.name) ?? `:${leaf.name}:`;
  return String.fromCodePoint(...leaf.unicode.split("-").map((code) => Number.parseInt(code, 16)));
}
