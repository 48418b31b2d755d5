// A scrolling list of messages: days, grouping, staying at the end, keeping the focus across redraws.

import { el, reconcile } from "./dom.js";
import { drawMessage } from "./message.js";
import { dayKey, dayName } from "./time.js";

/** Messages of one author closer together than this share one avatar, as in Slack. */
const GROUP_SECONDS = 300;

/** Nearer to the end than this (pixels) counts as reading the newest message. */
const END_PIXELS = 60;

export class Pane {
  constructor(list) {
    this.list = list;
    this.rows = el("div", { class: "rows" });
    this.atEnd = true;
    /** Whether the list keeps showing its end while it grows: a channel does, the app's Home does not. */
    this.follows = true;
    list.replaceChildren(this.rows);
    list.addEventListener("keydown", moveFocus);
    list.addEventListener("scroll", () => (this.atEnd = distanceToEnd(list) < END_PIXELS));
    // A button that is replaced between press and release would lose the click.
    list.addEventListener("pointerdown", () => (this.isPressed = true));
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => this.release());
    // Pictures and previews grow after they were drawn, and the message box grows with what one types and with
    // its errors; whoever reads the newest message keeps seeing it.
    const resizes = new ResizeObserver(() => this.follows && this.atEnd && this.scrollToEnd());
    resizes.observe(this.rows);
    resizes.observe(list);
  }

  /** Scroll to the newest message. */
  scrollToEnd() {
    this.atEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  scrollToStart() {
    this.list.scrollTop = 0;
  }

  /**
   * Show `messages`. `setting`: channelId; repliesOf(message), the replies to announce under it;
   * openThread(ts), or null; firstNew, the timestamp under the line "New", or null; afterFirst, a line
   * under the first message, or null.
   */
  drawMessages(messages, page, setting) {
    const rows = messageRows(messages, page, setting);
    this.draw(rows.length ? rows : [emptyRow(page)]);
  }

  /** Draw what was held back, after the click that a release makes. */
  release() {
    this.isPressed = false;
    if (this.heldBack) setTimeout(() => this.heldBack && this.draw(this.heldBack));
  }

  /** Show `items` as `reconcile` takes them; while the pointer is down, hold them back. */
  draw(items) {
    this.heldBack = this.isPressed ? items : undefined;
    if (this.isPressed) return;
    keepingFocus(this.list, () => reconcile(this.rows, items));
  }
}

function messageRows(messages, page, setting) {
  const { channelId, repliesOf, openThread, firstNew = null, afterFirst = null } = setting;
  return messages.flatMap((message, index) => {
    const before = messages[index - 1];
    const startsDay = !before || dayKey(before.ts, page.me) !== dayKey(message.ts, page.me);
    const lines = [
      startsDay && dayRow(message.ts, page),
      message.ts === firstNew && lineRow("new", page.words.new_messages),
      index === 1 && afterFirst && lineRow("replies", afterFirst),
    ].filter(Boolean);
    const isCompact = !lines.length && isSameGroup(before, message);
    const row = messageRow(message, page, { channelId, isCompact, replies: repliesOf(message), openThread });
    return [...lines, row];
  });
}

function distanceToEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight;
}

function messageRow(message, page, setting) {
  const files = (message.files ?? []).map((file) =>
    page.state.files.find((known) => known.id === (file.id ?? file)),
  );
  return {
    key: `message-${message.ts}`,
    signature: JSON.stringify([
      page.me.id,
      message,
      files,
      setting.channelId,
      setting.isCompact,
      setting.replies.map((reply) => reply.ts),
    ]),
    draw: () => drawMessage(message, setting.channelId, page, setting),
  };
}

function dayRow(ts, page) {
  const name = dayName(ts, page.me, page.words);
  return {
    key: `day-${dayKey(ts, page.me)}`,
    signature: name,
    draw: () => el("div", { class: "day" }, el("span", {}, name)),
  };
}

function lineRow(kind, text) {
  return {
    key: `line-${kind}`,
    signature: text,
    draw: () => el("div", { class: `line-across ${kind}` }, el("span", {}, text)),
  };
}

function emptyRow(page) {
  const text = page.words.activity_none;
  return { key: "empty", signature: text, draw: () => el("p", { class: "empty" }, text) };
}

/** The arrow keys go from message to message while no control of one has the focus. */
function moveFocus(event) {
  const rows = [...event.currentTarget.querySelectorAll("article")];
  const isOnRow = event.target === event.currentTarget || event.target.matches("article");
  if (!isOnRow || !rows.length || event.ctrlKey || event.metaKey || event.altKey) return;
  const current = rows.indexOf(event.target);
  const from = current < 0 ? rows.length : current;
  const next = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  rows[Math.min(Math.max(next, 0), rows.length - 1)].focus();
}

function isSameGroup(before, message) {
  const isSameAuthor =
    before.user === message.user && before.bot_id === message.bot_id && before.username === message.username;
  const isClose = Number(message.ts) - Number(before.ts) < GROUP_SECONDS;
  return isSameAuthor && isClose && !before.ephemeral_for && !message.ephemeral_for;
}

/** Redraw, and give the focus back to the same control of the same row if its node was replaced. */
function keepingFocus(list, redraw) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && { row: focused.closest("[data-key]")?.dataset.key, name: focused.dataset.focus };
  redraw();
  if (!focused || focused.isConnected) return;
  const row = place.row && list.querySelector(`[data-key="${CSS.escape(place.row)}"]`);
  const again = place.name && row?.querySelector(`[data-focus="${CSS.escape(place.name)}"]:not(:disabled)`);
  (again || list).focus({ preventScroll: true });
}
