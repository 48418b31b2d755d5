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
    list.replaceChildren(this.rows);
    list.addEventListener("scroll", () => (this.atEnd = distanceToEnd(list) < END_PIXELS));
    // Pictures and previews grow after they were drawn; whoever reads the newest message keeps seeing it.
    new ResizeObserver(() => this.atEnd && this.scrollToEnd()).observe(this.rows);
  }

  /** Scroll to the newest message. */
  scrollToEnd() {
    this.atEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  /**
   * Show `messages`. `setting`: channelId; repliesOf(message), the replies to announce under it;
   * openThread(ts), or null.
   */
  drawMessages(messages, page, setting) {
    const rows = messageRows(messages, page, setting);
    this.draw(rows.length ? rows : [emptyRow(page)]);
  }

  /** Show `items` as `reconcile` takes them. */
  draw(items) {
    keepingFocus(this.list, () => reconcile(this.rows, items));
  }
}

function messageRows(messages, page, { channelId, repliesOf, openThread }) {
  return messages.flatMap((message, index) => {
    const before = messages[index - 1];
    const startsDay = !before || dayKey(before.ts, page.me) !== dayKey(message.ts, page.me);
    const isCompact = !startsDay && isSameGroup(before, message);
    const row = messageRow(message, page, { channelId, isCompact, replies: repliesOf(message), openThread });
    return startsDay ? [dayRow(message.ts, page), row] : [row];
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

function emptyRow(page) {
  const text = page.words.activity_none;
  return { key: "empty", signature: text, draw: () => el("p", { class: "empty" }, text) };
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
