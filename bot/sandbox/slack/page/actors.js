// Who one acts as: everybody with role and language, guests and people of another company apart.

import { el } from "./dom.js";

/** Fill `select` with the people of the sandbox and choose the one who acts. */
export function drawActors(select, page) {
  const { words, me } = page;
  const actors = page.state.people.filter((person) => !person.is_bot);
  const signature = JSON.stringify([me.locale, actors]);
  if (select.signature !== signature) {
    select.signature = signature;
    const groups = Object.groupBy(actors, (person) => standing(person));
    const members = el("optgroup", { label: words.members }, options(groups.member, words, me));
    const others = ["guest", "outsider"].map(
      (kind) => groups[kind] && el("optgroup", { label: words[kind] }, options(groups[kind], words, me)),
    );
    select.replaceChildren(...[members, ...others].filter(Boolean));
  }
  select.value = me.id;
  select.title = select.selectedOptions[0]?.textContent ?? "";
}

/** Return the word for somebody who is not a full member of this workspace, or null. */
export function standingWord(person, words) {
  const kind = person && standing(person);
  return kind === "guest" || kind === "outsider" ? words[kind] : null;
}

function standing(person) {
  if (person.outsider) return "outsider";
  return person.guest ? "guest" : "member";
}

function options(people = [], words, me) {
  const languages = new Intl.DisplayNames(me.locale, { type: "language" });
  return people.map((person) => {
    const language = languages.of(person.locale.slice(0, 2));
    const label = [person.real_name, language, words.role(person.role)].join(" · ");
    return el("option", { value: person.id }, label);
  });
}
