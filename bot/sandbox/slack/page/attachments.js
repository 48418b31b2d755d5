// A message's attachments: Slack's older way to set something apart, with a coloured bar.
// https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments

import { drawBlocks } from "./blocks.js";
import { el, link } from "./dom.js";
import { image } from "./image.js";
import { mrkdwn } from "./mrkdwn.js";

const COLOURS = { good: "#2eb886", warning: "#daa038", danger: "#a30200" };

export function drawAttachments(attachments, context) {
  return attachments.map((attachment) => {
    const node = el("div", { class: "attachment" }, parts(attachment, context));
    node.style.borderInlineStartColor = colour(attachment.color);
    return [attachment.pretext && el("div", {}, mrkdwn(attachment.pretext, context)), node];
  });
}

function parts(attachment, context) {
  if (attachment.blocks?.length) return drawBlocks(attachment.blocks, context);
  const { title, title_link, text, fields = [], image_url, footer, author_name, fallback } = attachment;
  const drawn = [
    author_name && el("div", { class: "attachment-author" }, author_name),
    title && el("div", { class: "attachment-title" }, title_link ? link(title_link, title) : title),
    text && el("div", {}, mrkdwn(text, context)),
    fields.length > 0 && el("div", { class: "fields" }, fields.map((field) => drawField(field, context))),
    image_url && image({ image_url, alt_text: title ?? fallback }, context, "wide"),
    footer && el("div", { class: "attachment-footer" }, footer),
  ].filter(Boolean);
  return drawn.length ? drawn : mrkdwn(fallback ?? "", context);
}

function drawField({ title, value }, context) {
  return el("div", {}, title && el("strong", {}, title), el("div", {}, mrkdwn(String(value ?? ""), context)));
}

/** Return a colour that CSS takes: Slack's words, or six digits with or without "#". */
function colour(named = "") {
  const [, digits] = /^#?([0-9a-f]{6})$/i.exec(named) ?? [];
  return COLOURS[named] ?? (digits ? `#${digits}` : "");
}
