// People, channels, groups and moments that a text refers to, whatever markup it is written in.

import { el, link } from "./dom.js";
import { dateOf, fillDate, offset, showsTime, wholeMoment } from "./time.js";

export function userMention(id, context, label) {
  const name = context.person(id)?.real_name ?? label ?? id;
  const isMe = id === context.me.id;
  return el("span", { class: isMe ? "mention me" : "mention", "data-user": id }, `@${name}`);
}

export function channelMention(id, context, label) {
  const known = context.channel(id);
  const shown = `#${known?.name ?? label ?? id}`;
  if (!known) return el("span", { class: "mention" }, shown);
  return el("button", { class: "mention", type: "button", onclick: () => context.openChannel(id) }, shown);
}

export function groupMention(id, label) {
  return el("span", { class: "mention group" }, label ?? `@${id}`);
}

/** @here, @channel and @everyone reach everybody, so they look like a mention of oneself. */
export function broadcast(range) {
  return el("span", { class: "mention me" }, `@${range.split("|")[0]}`);
}

/** Draw a moment in the acting person's zone; a time of day is followed by that zone's offset. */
export function moment({ ts, template, fallback, address }, context) {
  if (!template || Number.isNaN(dateOf(ts).valueOf())) return el("span", {}, fallback ?? ts);
  const time = el(
    "time",
    { datetime: dateOf(ts).toISOString(), title: wholeMoment(ts, context.me) },
    fillDate(template, ts, context.me, context.words),
    showsTime(template) && el("span", { class: "utc-offset" }, ` ${offset(ts, context.me)}`),
  );
  return address ? link(address, time) : time;
}
