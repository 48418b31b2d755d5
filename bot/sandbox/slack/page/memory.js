// What this browser remembers between visits. One that is told to keep nothing throws when it is asked.

/** Return what was kept under `key`, null where nothing was, undefined where the browser keeps nothing. */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return undefined;
  }
}

/** Keep `value` under `key`, where the browser keeps anything. */
export function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Nothing to do: it lasts as long as this page.
  }
}
