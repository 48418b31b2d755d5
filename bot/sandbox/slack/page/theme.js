// Light, dark, or as the system is: chosen in the bar, remembered by the browser.

import { keep, recall } from "./memory.js";
import { openMenu } from "./menu.js";

const KEY = "backout.theme";
const THEMES = ["system", "light", "dark"];

/** Look as the person chose the last time. */
export function wearTheme() {
  const theme = recall(KEY);
  wear(THEMES.includes(theme) ? theme : "system");
}

/** Open the menu of looks beside `opener`. */
export function openThemes(opener, words) {
  const current = document.documentElement.dataset.theme ?? "system";
  const items = THEMES.map((theme) => ({
    text: words.themes[theme],
    value: theme,
    isChosen: theme === current,
    onChoose: () => choose(theme),
  }));
  openMenu(opener, words.theme, items);
}

function choose(theme) {
  keep(KEY, theme);
  wear(theme);
}

function wear(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
