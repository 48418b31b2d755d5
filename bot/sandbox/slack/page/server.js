// The page's only way to the sandbox's server. No answer at all is an answer too: {ok: false, error: …}.

const ROOT = "/sandbox";

/** Return what `user` (a user id) may see: people, channels, messages, open views, files. */
export async function fetchState(user) {
  return fetchJson(`${ROOT}/state?user=${encodeURIComponent(user)}`);
}

export async function fetchCloud() {
  return fetchJson(`${ROOT}/cloud`);
}

/** Return how the drill stands; its phase is "closed" where there are none, "starting" before they can be. */
export async function fetchDrill() {
  return fetchJson(`${ROOT}/drill`);
}

/** Return a source of `{version}` events, one for each change that `user` can see. */
export function openEvents(user) {
  return new EventSource(`${ROOT}/events?user=${encodeURIComponent(user)}`);
}

/** Post `body` to /sandbox/`path`; return {ok, error, errors}, never throw. */
export async function post(path, body) {
  try {
    const response = await fetch(`${ROOT}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "no_answer", errors: null };
  }
}

async function fetchJson(address) {
  const response = await fetch(address, { cache: "no-store" });
  if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`);
  return response.json();
}
