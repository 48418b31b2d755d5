// What the drawing functions may ask of the page, and where their interactions belong.

import { el } from "./dom.js";

/**
 * Return the drawing context of one message or view.
 * `page`: {state, me, words, openChannel, refresh}; `where`: {channel, ts} or {view_id}, sent with every
 * interaction; `showFailure(text or null)`: tells the person what went wrong with one.
 */
export function contextFor(page, { where = {}, showFailure = () => {}, draft } = {}) {
  return {
    me: page.me,
    words: page.words,
    where,
    showFailure,
    draft,
    refresh: () => page.refresh(),
    openChannel: (id) => page.openChannel(id),
    people: page.state.people,
    channels: page.state.channels,
    person: (id) => page.state.people.find((person) => person.id === id),
    channel: (id) => page.state.channels.find((channel) => channel.id === id),
    file: (id) => page.state.files.find((file) => file.id === id),
    unsupported: (type) =>
      el("div", { class: "unsupported", "data-testid": "unsupported" }, page.words.unsupported(type)),
  };
}
