// A statement held to itself: what a browser can check of rows that the API shows, and in words what a break would mean.
//
// Each row names the hash of the row before it. The hash itself covers fields that the API does not show (who asked, the seal of the
// transaction), so the browser cannot compute it anew: that, and that each row has its transaction, is the audit's.

import { get, path } from './api.js';
import { add, compare, isNegative, pixels } from './money.js';

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Wallet} Wallet */
/** @typedef {{version: number, what: string, means: string}} Break */
/** @typedef {{version: number, at: number, balance: number}} Point For a plot: `at` in seconds */
/** @typedef {{read: number, of: number, breaks: Break[], more: number, points: Point[], done: boolean, problem: import('./api.js').Problem | null}} Walk */

const NOTHING_BEFORE = '0'.repeat(64);
const PAGE = 100;
const MAX_BREAKS = 50;
const MAX_POINTS = 2000;
/** What may change what is held back. */
const HOLDS = new Set(['hold', 'capture', 'void', 'expiry']);
const TAMPERED = 'A row was changed, removed or put in after it was written, or the answer was. Run the audit (Health): it recomputes every hash.';

/** What is wrong between a row and the one before it. @param {Entry} row @param {Entry} before @returns {Break[]} */
export function between(row, before) {
  /** @type {Break[]} */
  const breaks = [];
  const found = (/** @type {string} */ what, means = TAMPERED) => breaks.push({ version: row.version, what, means });
  if (row.version !== before.version + 1) found(`Version ${row.version} follows version ${before.version}: rows are missing or there twice.`);
  if (row.previous_hash !== before.hash) found(`Version ${row.version} names ${row.previous_hash.slice(0, 12)}… as the hash of the row before it, which has ${before.hash.slice(0, 12)}….`);
  const sum = add(before.balance_after, row.amount);
  if (sum === null || compare(sum, row.balance_after) !== 0) found(`${before.balance_after} and ${row.amount} do not make the balance after it, ${row.balance_after}.`);
  const held = compare(row.held_after, before.held_after);
  if (held === null || isNegative(row.held_after)) found(`What is held after it, ${row.held_after}, is no amount to hold.`);
  else if (!HOLDS.has(row.type) && known(row.type) && held !== 0) found(`A ${row.type} changes what is held, from ${before.held_after} to ${row.held_after}.`);
  else if (row.type === 'hold' && held <= 0) found(`A hold leaves no more held than before: ${before.held_after}, then ${row.held_after}.`);
  else if (row.type === 'capture' && !isNegative(row.amount) && held !== 0) found(`Money that came in by a capture changes what is held, from ${before.held_after} to ${row.held_after}.`);
  else if (row.type !== 'hold' && HOLDS.has(row.type) && held > 0) found(`A ${row.type} holds more back than before: ${before.held_after}, then ${row.held_after}.`);
  if (Date.parse(row.created_at) < Date.parse(before.created_at)) found(`It is older than the row before it: ${row.created_at}, after ${before.created_at}.`);
  return breaks;
}

/** Kinds are added: what this page does not know is held to less. @param {string} type */
const known = (type) => ['opening', 'amendment', 'deposit', 'withdrawal', 'transfer', 'payout', 'rebate', 'reversal'].includes(type);

/** What is wrong with the row that should be the first. @param {Entry} row @returns {Break[]} */
export function first(row) {
  const right = row.version === 0 && row.previous_hash === NOTHING_BEFORE && compare(row.balance_after, row.amount) === 0;
  return right ? [] : [{ version: row.version, what: `The statement begins with version ${row.version}, which is not an opening with nothing before it.`, means: 'Its beginning was removed or changed. Run the audit (Health).' }];
}

/** What is wrong between a wallet and its row of the same version. @param {Wallet} wallet @param {Entry} row @returns {Break[]} */
export function head(wallet, row) {
  if (wallet.version !== row.version) return [{ version: row.version, what: `The wallet is at version ${wallet.version}, and its newest row up to that is ${row.version}.`, means: TAMPERED }];
  const right = compare(wallet.balance, row.balance_after) === 0 && compare(wallet.held, row.held_after) === 0;
  return right ? [] : [{ version: row.version, what: `The wallet has ${wallet.balance} (${wallet.held} held), its newest row ${row.balance_after} (${row.held_after} held).`, means: TAMPERED }];
}

/**
 * Marks for the rows of one page, newest first, by version: what is wrong, or nothing if the row below it on the page agrees; absent where
 * the row before it is on another page.
 * @param {Entry[]} rows @returns {Map<number, Break[]>}
 */
export function marks(rows) {
  /** @type {Map<number, Break[]>} */
  const all = new Map();
  rows.forEach((row, index) => {
    const before = rows[index + 1];
    if (before) all.set(row.version, between(row, before));
    else if (row.version === 0) all.set(0, first(row));
  });
  return all;
}

/** @param {Entry} row @returns {Point} */
export const point = (row) => ({ version: row.version, at: Date.parse(row.created_at) / 1000, balance: pixels(row.balance_after) });

/**
 * Goes through the whole statement, newest row first, page by page; keeps no rows, only what it found and some points of the balance.
 * @param {string} id @param {AbortSignal} signal @param {(walk: Walk) => void} told
 */
export async function walk(id, signal, told) {
  /** @type {Walk} */
  let state = { read: 0, of: 0, breaks: [], more: 0, points: [], done: false, problem: null };
  const tell = (/** @type {Partial<Walk>} */ news) => told((state = { ...state, ...news }));
  const found = (/** @type {Break[]} */ breaks) => {
    const room = Math.max(0, MAX_BREAKS - state.breaks.length);
    state = { ...state, breaks: [...state.breaks, ...breaks.slice(0, room)], more: state.more + Math.max(0, breaks.length - room) };
  };
  const now = await get(path(['v1', 'wallets', id]), signal);
  if (!now) return;
  if (!now.ok) return tell({ problem: now.problem });
  /** @type {Wallet} */
  const wallet = now.body;
  tell({ of: wallet.version + 1 });
  /** @type {Entry | null} */
  let newer = null;
  /** @type {string | null} */
  let cursor = null;
  let step = 1;
  do {
    const page = await get(path(['v1', 'wallets', id, 'entries'], { limit: PAGE, cursor }), signal);
    if (!page) return;
    if (!page.ok) return tell({ problem: page.problem });
    for (const row of /** @type {Entry[]} */ (page.body.entries)) {
      if (newer) found(between(newer, row));
      // Rows that came after the wallet was read are its future.
      if (row.version <= wallet.version && (!newer || newer.version > wallet.version)) found(head(wallet, row));
      newer = row;
      state.read += 1;
      if (state.read % step === 0) state.points.push(point(row));
      if (state.points.length > MAX_POINTS) {
        state.points = state.points.filter((_, index) => index % 2 === 0);
        step *= 2;
      }
    }
    cursor = page.body.next_cursor;
    tell({});
  } while (cursor !== null);
  if (newer) {
    found(first(newer));
    // The opening, whatever was left out between.
    state.points.push(point(newer));
  } else found([{ version: 0, what: 'The statement is empty.', means: 'A wallet has a row for each version, from its opening on. Run the audit (Health).' }]);
  tell({ done: true });
}

