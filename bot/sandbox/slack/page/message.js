// One message as a row: avatar, name, time, blocks or text, files, reactions, replies.

import { standingWord } from "./actors.js";
import { drawAttachments } from "./attachments.js";
import { drawBlocks } from "./blocks.js";
import { contextFor } from "./context.js";
import { el } from "./dom.js";
import { drawFile } from "./files.js";
import { mrkdwn } from "./mrkdwn.js";
import { addReaction, reactions } from "./reactions.js";
import { messageMenu, shortcutsOf } from "./shortcuts.js";
import { filesOf } from "./timeline.js";
import { clockTime, wholeMoment } from "./time.js";

const APP_ICON = new URL("./icon.svg", import.meta.url).href;

/**
 * Return the row of `message` in `channelId`.
 * `isCompact`: the author is the row above's. `replies`: those of its thread, empty inside a thread pane.
 * `openThread(ts)`: null where a thread cannot be opened.
 */
export function drawMessage(message, channelId, page, { isCompact, replies, openThread }) {
  const context = contextFor(page, {
    where: { channel: channelId, ts: message.ts },
    showFailure: (text) => showFailure(message.ts, text),
  });
  const author = authorOf(message, context);
  const label = context.words.message_by(author.name, clockTime(message.ts, context.me));
  return el(
    "article",
    {
      class: rowClass(message, isCompact),
      tabindex: "-1",
      "data-focus": "row",
      "data-ts": message.ts,
      "data-surface": true,
      "aria-label": label,
    },
    el("div", { class: "gutter" }, isCompact ? time(message, context) : avatar(author)),
    el(
      "div",
      { class: "message-content" },
      !isCompact && byline(author, message, context),
      message.ephemeral_for &&
        el("div", { class: "ephemeral-note" }, `👁 ${context.words.only_visible_to_you}`),
      body(message, context),
      filesOf(message, page.state).map((file) => drawFile(file, context)),
      reactions(message, context),
      el("div", { class: "failure", role: "alert" }),
      replies.length > 0 && repliesButton(message, replies, context, openThread),
    ),
    isLasting(message) && hoverActions(message, context, openThread, page.state),
  );
}

/** Only what everybody sees, and will see tomorrow, can be answered, marked, and handed to a shortcut. */
function isLasting(message) {
  return !message.ephemeral_for && message.subtype !== "tombstone";
}

/** Return who wrote a message: {name, isApp, colour, standing (guest, another company, or null)}. */
function authorOf(message, context) {
  const person = context.person(message.user);
  const name = message.username ?? person?.real_name ?? message.user ?? message.bot_id;
  const isApp = Boolean(message.bot_id ?? person?.is_bot);
  return { name, isApp, colour: person?.avatar_color, standing: standingWord(person, context.words) };
}

/** Return a square with the author's initial, or the app's icon. */
function avatar({ name, isApp, colour }) {
  if (isApp) return el("img", { class: "avatar", src: APP_ICON, alt: "" });
  const square = el("span", { class: "avatar", "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());
  square.style.backgroundColor = colour ?? "";
  return square;
}

function rowClass(message, isCompact) {
  return ["message", isCompact && "compact", message.ephemeral_for && "ephemeral"].filter(Boolean).join(" ");
}

function byline(author, message, context) {
  return el(
    "div",
    { class: "byline" },
    el("span", { class: "author" }, author.name),
    author.isApp && el("span", { class: "app-badge" }, context.words.app),
    author.standing && el("span", { class: "app-badge" }, author.standing),
    time(message, context),
  );
}

function time(message, context) {
  const moment = { class: "sent-at", title: wholeMoment(message.ts, context.me) };
  return el("time", moment, clockTime(message.ts, context.me));
}

function body(message, context) {
  const drawn = message.blocks?.length
    ? drawBlocks(message.blocks, context)
    : mrkdwn(message.text ?? "", context);
  return el(
    "div",
    { class: "body" },
    drawn,
    drawAttachments(message.attachments ?? [], context),
    message.edited && el("span", { class: "edited" }, context.words.edited),
  );
}

function repliesButton(message, replies, context, openThread) {
  const last = replies.at(-1);
  return el(
    "button",
    {
      class: "replies",
      type: "button",
      "data-testid": "replies",
      "data-focus": "replies",
      onclick: () => openThread(message.ts),
    },
    el("span", { class: "replies-count" }, context.words.replies(replies.length)),
    el("span", { class: "replies-last" }, context.words.last_reply(clockTime(last.ts, context.me))),
  );
}

function hoverActions(message, context, openThread, state) {
  return el(
    "div",
    { class: "hover-actions" },
    addReaction(context),
    openThread && replyButton(message, context, openThread),
    messageMenu(shortcutsOf(state, "message"), context),
  );
}

function replyButton(message, context, openThread) {
  return el(
    "button",
    {
      class: "icon-button",
      type: "button",
      "data-focus": "reply",
      "data-testid": "reply",
      "aria-label": context.words.reply_in_thread,
      title: context.words.reply_in_thread,
      onclick: () => openThread(message.ts),
    },
    "💬",
  );
}

/** The same message can stand in the channel and in the thread pane. */
function showFailure(ts, text) {
  for (const slot of document.querySelectorAll(`[data-ts="${CSS.escape(ts)}"] .failure`)) {
    slot.textContent = text ? `⚠ ${text}` : "";
  }
}
