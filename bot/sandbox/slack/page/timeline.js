// Which messages a person sees in a channel or thread, in order.

/** Return what `meId` sees in a channel, oldest first; a file nobody's message carries stands for itself. */
export function visibleMessages(state, channelId, meId) {
  const messages = (state.messages[channelId] ?? []).filter(
    (message) => !message.ephemeral_for || message.ephemeral_for === meId,
  );
  return [...messages, ...looseFiles(state, channelId, messages)].sort(
    (one, other) => Number(one.ts) - Number(other.ts),
  );
}

/** Return the messages of the channel itself: no replies. */
export function roots(messages) {
  return messages.filter((message) => !isReply(message));
}

/** Return the replies in the thread under the message with timestamp `ts`. */
export function repliesTo(messages, ts) {
  return messages.filter((message) => isReply(message) && message.thread_ts === ts);
}

/** Return whether a message stands in a thread, and not at its top. */
export function isReply(message) {
  return Boolean(message.thread_ts) && message.thread_ts !== message.ts;
}

/** Return the files of a message as objects, whether it carries ids or whole files. */
export function filesOf(message, state) {
  return (message.files ?? [])
    .map((file) => state.files.find((known) => known.id === (file.id ?? file)) ?? file)
    .filter((file) => file.url);
}

function looseFiles(state, channelId, messages) {
  const carried = new Set(
    messages.flatMap((message) => (message.files ?? []).map((file) => file.id ?? file)),
  );
  return state.files
    .filter((file) => file.channel === channelId && file.ts && !carried.has(file.id))
    .map((file) => ({ ts: file.ts, user: file.user, thread_ts: file.thread_ts, text: "", files: [file] }));
}
