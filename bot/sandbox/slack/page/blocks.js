// One drawing function per Block Kit block type. https://docs.slack.dev/reference/block-kit/blocks
//
// There is a renderer of others, slack-blocks-to-jsx. It is a React component: it needs a build step and a
// megabyte of script, it leaves the markup of a verbatim text as it is written, which is most of what the bot
// sends, and it doubles an asterisk in code. So this one is ours, and tests/conformance/test_blocks.py has theirs
// check it: every block that the bot sends must read the same in both.

import { control, isControl } from "./controls.js";
import { el, link } from "./dom.js";
import { blockElement } from "./elements.js";
import { image } from "./image.js";
import { interact } from "./interactions.js";
import { markdown } from "./markdown.js";
import { plainText, textObject } from "./mrkdwn.js";
import { richText } from "./rich-text.js";

const BLOCKS = {
  actions,
  alert,
  context: contextBlock,
  divider: () => el("hr", { class: "divider" }),
  header,
  image: imageBlock,
  input,
  markdown: (block) => markdown(block.text),
  rich_text: richText,
  section,
  table,
  video,
};

const ALERT_ICONS = { default: "•", info: "ℹ", warning: "⚠", error: "⛔", success: "✓" };

/** Return one node for every block, a visible box for a type the page cannot draw. */
export function drawBlocks(blocks, context) {
  return blocks.map((block, index) => drawBlock(block, context, block.block_id ?? `block-${index}`));
}

function drawBlock(block, context, blockId) {
  const isKnown = Object.hasOwn(BLOCKS, block.type);
  const inner = isKnown ? drawn(block, context, blockId) : context.unsupported(block.type);
  return el(
    "div",
    { class: `block block-${isKnown ? block.type : "unsupported"}`, "data-block": blockId },
    inner,
  );
}

/** One broken block must not take the rest of the page with it. */
function drawn(block, context, blockId) {
  try {
    return BLOCKS[block.type](block, context, blockId);
  } catch (problem) {
    console.error(`Could not draw a ${block.type} block`, problem);
    return context.unsupported(block.type);
  }
}

/** The page itself owns h1 and h2. */
function header(block, context) {
  return el(`h${Math.min((block.level ?? 1) + 2, 6)}`, {}, textObject(block.text, context));
}

function section(block, context, blockId) {
  return [
    el(
      "div",
      { class: "section-text" },
      block.text && textObject(block.text, context),
      block.fields &&
        el(
          "div",
          { class: "fields" },
          block.fields.map((text) => field(text, context)),
        ),
    ),
    block.accessory && el("div", { class: "accessory" }, blockElement(block.accessory, context, blockId)),
  ];
}

function field(text, context) {
  return el("div", { class: "section-field" }, textObject(text, context));
}

function contextBlock(block, context) {
  return block.elements.map((element) =>
    element.type === "image"
      ? image(element, context, "context")
      : el("div", { class: "context-text" }, textObject(element, context)),
  );
}

function actions(block, context, blockId) {
  return block.elements.map((element) => blockElement(element, context, blockId));
}

function imageBlock(block, context) {
  return el(
    "figure",
    {},
    block.title && el("figcaption", {}, plainText(block.title)),
    image(block, context, "wide"),
  );
}

/** A film from elsewhere is not played here; its title leads to it. */
function video(block, context) {
  const title = plainText(block.title);
  return el(
    "figure",
    {},
    el("figcaption", {}, link(block.title_url ?? block.video_url, title)),
    block.author_name && el("div", { class: "video-author" }, block.author_name),
    block.description && el("div", {}, plainText(block.description)),
    image({ image_url: block.thumbnail_url, alt_text: block.alt_text }, context, "wide"),
  );
}

function alert(block, context) {
  const level = Object.hasOwn(ALERT_ICONS, block.level ?? "") ? block.level : "default";
  return el(
    "div",
    { class: `alert alert-${level}`, role: "note", "aria-label": context.words.alert_levels[level] },
    el("span", { class: "alert-icon", "aria-hidden": "true" }, ALERT_ICONS[level]),
    el("div", {}, textObject(block.text, context)),
  );
}

function table(block, context) {
  const [head, ...body] = block.rows;
  const row = (cells, tag) =>
    el(
      "tr",
      {},
      cells.map((cell, index) => tableCell(cell, tag, index, block, context)),
    );
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
        body.map((cells) => row(cells, "td")),
      ),
    ),
  );
}

function tableCell(cell, tag, column, block, context) {
  const align = block.column_settings?.[column]?.align ?? "left";
  const attributes = { class: `align-${align}`, scope: tag === "th" ? "col" : null };
  return el(
    tag,
    attributes,
    cell.type === "rich_text" ? richText(cell, context) : (cell.text ?? String(cell.value)),
  );
}

function input(block, context, blockId) {
  const { element, label, hint, optional } = block;
  if (!isControl(element)) return context.unsupported(element.type);
  const node = control(element, context, {
    blockId,
    draft: context.draft?.(blockId, element.action_id),
    onChoose: block.dispatch_action && ((value) => interact(element, context, blockId, value)),
  });
  const id = `input-${crypto.randomUUID()}`;
  const isGroup = node.tagName === "FIELDSET";
  node.id = id;
  node.setAttribute("aria-describedby", `${id}-error ${id}-hint`);
  if (isGroup) node.setAttribute("aria-labelledby", `${id}-label`);
  const optionalMark = optional && el("span", { class: "optional" }, ` ${context.words.optional}`);
  return [
    el(
      isGroup ? "div" : "label",
      { class: "input-label", id: `${id}-label`, for: isGroup ? null : id },
      plainText(label),
      optionalMark,
    ),
    node,
    el("div", { class: "input-error", id: `${id}-error`, role: "alert", "data-error-for": blockId }),
    hint && el("div", { class: "input-hint", id: `${id}-hint` }, plainText(hint)),
  ];
}
