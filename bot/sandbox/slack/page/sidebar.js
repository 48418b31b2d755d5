// The left side: workspace, channels, direct messages, the app's home, and what is unread.

import { el, reconcile } from "./dom.js";

/** Stands for the app's Home tab among the channel ids. */
export const HOME = "home";

export function drawSidebar(nav, page) {
  const { channels, team } = page.state;
  nav.onkeydown = moveFocus;
  const focused = nav.contains(document.activeElement) && document.activeElement.dataset.key;
  reconcile(nav, [
    text("team", "p", "workspace", team.name),
    ...group(
      "channels",
      page.words.channels,
      channels.filter((channel) => !channel.is_im),
      page,
    ),
    ...group(
      "ims",
      page.words.direct_messages,
      channels.filter((channel) => channel.is_im),
      page,
    ),
    ...group("apps", page.words.apps, page.state.tabs.home ? [{ id: HOME, name: page.words.home }] : [], page),
  ]);
  if (focused && !nav.contains(document.activeElement))
    nav.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** The arrow keys go from channel to channel, as in Slack. */
function moveFocus(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll(".channel-item")];
  items[items.indexOf(document.activeElement) + step]?.focus();
}

/** Show the tabs of the app above its Home and its direct message, and nothing above a channel. */
export function drawTabs(nav, page) {
  const { channels, tabs } = page.state;
  const im = channels.find((channel) => channel.is_im);
  const isApp = page.channel === HOME || page.channel === im?.id;
  const shown = [
    tabs.home && { id: HOME, name: page.words.home },
    tabs.messages && im && { id: im.id, name: page.words.messages },
  ].filter(Boolean);
  nav.hidden = !isApp || shown.length < 2;
  reconcile(nav, nav.hidden ? [] : shown.map((tab) => tabItem(tab, page)));
}

function tabItem({ id, name }, page) {
  const isCurrent = id === page.channel;
  const attributes = {
    class: "app-tab",
    type: "button",
    "data-tab": id,
    "aria-current": isCurrent ? "page" : null,
    onclick: () => page.openChannel(id),
  };
  return { key: id, signature: `${name}/${isCurrent}`, draw: () => el("button", attributes, name) };
}

/** Return what a channel is called in the page, e.g. "#operations" or "Backout". */
export function channelTitle(channel, page) {
  if (channel.id === HOME) return page.words.home;
  return channel.is_im ? partner(channel, page) : `#${channel.name}`;
}

function group(key, title, channels, page) {
  if (!channels.length) return [];
  return [text(key, "h2", "sidebar-title", title), ...channels.map((channel) => channelItem(channel, page))];
}

function text(key, tag, className, content) {
  return { key, signature: content, draw: () => el(tag, { class: className }, content) };
}

function channelItem(channel, page) {
  const isCurrent = channel.id === page.channel;
  const { isUnread, mentions } = isCurrent
    ? { isUnread: false, mentions: 0 }
    : page.unread.of(channel.id, page);
  const name = channelTitle(channel, page);
  return {
    key: channel.id,
    signature: JSON.stringify([name, channel.shared, isCurrent, isUnread, mentions, page.me.id]),
    draw: () =>
      el(
        "button",
        {
          class: isUnread ? "channel-item unread" : "channel-item",
          type: "button",
          "data-channel": channel.id,
          "aria-current": isCurrent ? "page" : null,
          onclick: () => page.openChannel(channel.id),
        },
        el("span", { class: "channel-item-name" }, name),
        channel.shared && el("span", { class: "shared-mark" }, page.words.shared),
        isUnread && unreadMark(mentions, page.words),
      ),
  };
}

function unreadMark(mentions, words) {
  if (mentions)
    return el(
      "span",
      { class: "unread-count", "aria-label": `${mentions} ${words.unread}` },
      String(mentions),
    );
  return el("span", { class: "unread-dot", role: "img", "aria-label": words.unread });
}

function partner(channel, page) {
  const person = page.state.people.find(
    ({ id, name }) => id === channel.user || name === channel.name || id === channel.name,
  );
  return person?.real_name ?? channel.name;
}
