// Tells a screen reader of new messages, once each. The list itself stays silent: an edit draws rows anew.

import { contextFor } from "./context.js";
import { mrkdwn } from "./mrkdwn.js";

export class Announcer {
  constructor(node) {
    this.node = node;
    /** Place (person, channel, thread) -> the newest timestamp that was there when it was last drawn. */
    this.told = new Map();
  }

  /** Say what came to `place` since it was drawn last, unless the acting person wrote it. */
  tell(place, messages, page) {
    const key = `${page.me.id}/${place}`;
    const newest = Math.max(0, ...messages.map((message) => Number(message.ts)));
    const since = this.told.get(key) ?? newest;
    this.told.set(key, newest);
    const fresh = messages.filter(({ ts, user }) => Number(ts) > since && user !== page.me.id);
    if (fresh.length) this.node.textContent = fresh.map((message) => spoken(message, page)).join("\n");
  }
}

function spoken(message, page) {
  const context = contextFor(page);
  const author = message.username ?? context.person(message.user)?.real_name ?? "";
  const words = page.words.message_says(author, mrkdwn(message.text ?? "", context).textContent);
  return message.ephemeral_for ? `${page.words.only_visible_to_you}: ${words}` : words;
}
