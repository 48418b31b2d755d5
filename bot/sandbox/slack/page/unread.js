// What each acting person has not looked at since the page was opened.

import { isReply, visibleMessages } from "./timeline.js";

export class Unread {
  constructor() {
    this.seen = new Map();
    this.start = null;
  }

  /** Whatever was there when the page opened counts as read. */
  begin(state) {
    this.start ??= newest(Object.values(state.messages).flat());
  }

  /** The channel is looked at. Whatever was new when the person came stays `firstNew` until they leave. */
  markSeen(channelId, page) {
    const key = this.key(channelId, page);
    if (this.place !== key) {
      this.place = key;
      this.firstNew = this.fresh(channelId, page).find((message) => !isReply(message))?.ts ?? null;
    }
    this.seen.set(key, newest(page.state.messages[channelId] ?? []));
  }

  /** Return {isUnread, mentions: how many new messages name the person, or are for nobody else}. */
  of(channelId, page) {
    const fresh = this.fresh(channelId, page);
    const isIm = page.state.channels.find((channel) => channel.id === channelId)?.is_im;
    const isForMe = (message) => isIm || JSON.stringify(message).includes(`<@${page.me.id}`);
    return { isUnread: fresh.length > 0, mentions: fresh.filter(isForMe).length };
  }

  fresh(channelId, page) {
    const since = Math.max(this.start, this.seen.get(this.key(channelId, page)) ?? 0);
    return visibleMessages(page.state, channelId, page.me.id).filter(
      (message) => Number(message.ts) > since && message.user !== page.me.id,
    );
  }

  key(channelId, page) {
    return `${page.me.id}/${channelId}`;
  }
}

function newest(messages) {
  return messages.reduce((latest, message) => Math.max(latest, Number(message.ts)), 0);
}
