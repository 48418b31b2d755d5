// Light, dark, or as the system is: chosen in the bar, remembered by the browser.

import { openMenu } from "./menu.js";

const KEY = "backout.theme";
const THEMES = ["system", "light", "dark"];

/** Look as the person chose the last time. */
export function wearTheme() {
  wear(chosen());
}

/** Open the menu of looks beside `opener`. */
export function openThemes(opener, words) {
  const current = chosen();
  const items = THEMES.map((theme) => ({
    text: words.themes[theme],
    value: theme,
    isChosen: theme === current,
    onChoose: () => choose(theme),
  }));
  openMenu(opener, words.theme, items);
}

function choose(theme) {
  localStorage.setItem(KEY, theme);
  wear(theme);
}

function wear(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function chosen() {
  const theme = localStorage.getItem(KEY);
  return THEMES.includes(theme) ? theme : "system";
}
