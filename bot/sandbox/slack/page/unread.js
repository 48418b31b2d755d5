// What each acting person has not looked at since the page was opened.

import { visibleMessages } from "./timeline.js";

export class Unread {
  constructor() {
    this.seen = new Map();
    this.start = null;
  }

  /** Whatever was there when the page opened counts as read. */
  begin(state) {
    this.start ??= newest(Object.values(state.messages).flat());
  }

  markSeen(channelId, page) {
    this.seen.set(this.key(channelId, page), newest(page.state.messages[channelId] ?? []));
  }

  /** Return {isUnread, mentions: how many new messages name the person}. */
  of(channelId, page) {
    const since = Math.max(this.start, this.seen.get(this.key(channelId, page)) ?? 0);
    const fresh = visibleMessages(page.state, channelId, page.me.id).filter(
      (message) => Number(message.ts) > since && message.user !== page.me.id,
    );
    const mentions = fresh.filter((message) => JSON.stringify(message).includes(`<@${page.me.id}`)).length;
    return { isUnread: fresh.length > 0, mentions };
  }

  key(channelId, page) {
    return `${page.me.id}/${channelId}`;
  }
}

function newest(messages) {
  return messages.reduce((latest, message) => Math.max(latest, Number(message.ts)), 0);
}
