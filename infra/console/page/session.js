// Who asks: the token and the owners to show, taken from the address and kept in this tab alone. Never in the page, a link, or a command to copy.

import { Store } from './store.js';

/** @typedef {{token: string, owners: string[], subject: string | null, scopes: string[], expires: number | null, refused: boolean}} Session */

const PLACE = 'wallet-console';

/** A moment that a date can have. @param {number} ms */
const moment = (ms) => (Math.abs(ms) <= 8.64e15 ? ms : null);

/** What the token says of itself; it is the server that checks it. @param {string} token */
function claims(token) {
  try {
    const part = (token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(part), (c) => c.charCodeAt(0));
    const said = JSON.parse(new TextDecoder().decode(bytes));
    const scope = said.scope ?? said.scp ?? '';
    const scopes = Array.isArray(scope) ? scope.map(String) : String(scope).split(' ').filter(Boolean);
    return { subject: said.sub === undefined ? null : String(said.sub), scopes, expires: moment(Number(said.exp) * 1000) };
  } catch {
    return { subject: null, scopes: [], expires: null };
  }
}

/** @param {string} token @param {string[]} owners @returns {Session} */
const made = (token, owners) => ({ token, owners, refused: false, ...claims(token) });

/** @type {Store<Session>} */
export const session = new Store(made('', []));

/** Takes a token that the user pasted, or none. @param {string} token @param {string[]} [owners] */
export function adopt(token, owners = session.value.owners) {
  session.set(made(token.trim().replace(/^Bearer\s+/i, ''), owners));
  keep();
}

/** One more owner to show. @param {string} owner */
export function remember(owner) {
  session.set({ ...session.value, owners: [...session.value.owners, owner] });
  keep();
}

/** The server has answered 401 to this token. @param {string} token */
export function refuse(token) {
  if (token === session.value.token && !session.value.refused) session.set({ ...session.value, refused: true });
}

/** Whether the token says that it opens this. A token that says nothing may open anything. @param {string} scope */
export const may = (scope) => session.value.scopes.length === 0 || session.value.scopes.includes(scope);

function keep() {
  const { token, owners } = session.value;
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ token, owners }));
  } catch {
    // A browser that keeps nothing asks again after a reload.
  }
}

/**
 * Reads `#token=..&owners=..` and removes it from the address; else what the tab has kept. Says whether the address had a token.
 */
export function arrive() {
  const fragment = location.hash.slice(1);
  if (/(^|&)token=/.test(fragment)) {
    const given = new URLSearchParams(fragment);
    history.replaceState(null, '', location.pathname + location.search);
    adopt(given.get('token') ?? '', (given.get('owners') ?? '').split(',').filter(Boolean));
    return true;
  }
  if (session.value.token) return false;
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE) ?? 'null');
    if (kept && typeof kept.token === 'string') adopt(kept.token, Array.isArray(kept.owners) ? kept.owners.map(String) : []);
  } catch {
    // What cannot be read is as good as nothing.
  }
  return false;
}
