// Links to messages, as chat.getPermalink makes them: they open inside the page instead of beside it.

import { isOwn } from "./dom.js";

/** Return {channel, ts, thread} for the address of a message in this workspace, else null. */
export function placeOf(address) {
  if (!isOwn(address)) return null;
  const { pathname, searchParams } = new URL(address, document.baseURI);
  const [, channel, seconds, micro] = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(pathname) ?? [];
  return channel ? { channel, ts: `${seconds}.${micro}`, thread: searchParams.get("thread_ts") } : null;
}

/** Bring the message into view and mark it for a moment. */
export function showMessage(ts) {
  const rows = [...document.querySelectorAll(`article[data-ts="${CSS.escape(ts)}"]`)];
  for (const row of rows) {
    row.scrollIntoView({ block: "center" });
    row.classList.add("linked");
    setTimeout(() => row.classList.remove("linked"), 2000);
  }
  return rows.length > 0;
}
