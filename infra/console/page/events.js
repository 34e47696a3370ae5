// The stream of movements as they come: read with `fetch`, resumed after the last one seen, and handed on in batches, so that a
// hundred a second cost no more than a few.

import { refuse, session } from './session.js';
import { messages } from './sse.js';
import { Store } from './store.js';

/**
 * @typedef {{transaction_id: string, type: string, status: string, code: string | null, wallet_id: string, counterparty: string | null,
 *   amount: string, currency: string, parent_id: string | null, created_at: string}} Movement
 * @typedef {{movements: Movement[], wallets: Set<string>, count: number}} Batch `movements` has the newest at its end, and not all where `count` is more.
 * @typedef {'connecting' | 'live' | 'lost' | 'refused' | 'none'} State `none`: there is no stream here, as in the cloud
 */

const BATCH_MS = 250;
/** Movements of a batch that are kept to be shown. Of all of them the wallets are. */
const MAX_SHOWN = 100;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** @type {Store<State>} */
export const connection = new Store(/** @type {State} */ ('connecting'));

/** @type {Store<Batch>} */
export const batches = new Store(nothing());

/** The newest movements since the page was opened, newest first, and how many there were. @type {Store<{movements: Movement[], count: number, perSecond: number}>} */
export const feed = new Store({ movements: /** @type {Movement[]} */ ([]), count: 0, perSecond: 0 });

/** @returns {Batch} */
function nothing() {
  return { movements: [], wallets: new Set(), count: 0 };
}

let batch = nothing();
let timer = 0;
/** When each of the last batches came, and how many were in it. @type {{at: number, count: number}[]} */
let pace = [];

/** @param {Movement} movement */
function take(movement) {
  batch.count += 1;
  if (movement.wallet_id) batch.wallets.add(movement.wallet_id);
  if (movement.counterparty?.startsWith('wal_')) batch.wallets.add(movement.counterparty);
  batch.movements.push(movement);
  if (batch.movements.length > 2 * MAX_SHOWN) batch.movements = batch.movements.slice(-MAX_SHOWN);
  timer ||= window.setTimeout(flush, BATCH_MS);
}

function flush() {
  timer = 0;
  const full = { ...batch, movements: batch.movements.slice(-MAX_SHOWN) };
  batch = nothing();
  measure(full.count);
  // An event may come twice.
  const all = [...full.movements].reverse().concat(feed.value.movements);
  const movements = [...new Map(all.map((movement) => [movement.transaction_id + movement.status, movement])).values()].slice(0, MAX_SHOWN);
  feed.set({ movements, count: feed.value.count + full.count, perSecond: perSecond() });
  batches.set(full);
}

/** @param {number} count */
function measure(count) {
  const now = performance.now();
  pace = pace.filter(({ at }) => at > now - 2000);
  if (count > 0) pace.push({ at: now, count });
  // Once more when all is quiet, so that the pace goes back to zero.
  if (count > 0) window.setTimeout(() => { if (!timer) { measure(0); feed.set({ ...feed.value, perSecond: perSecond() }); } }, 2100);
}

const perSecond = () => Math.round(pace.reduce((sum, { count }) => sum + count, 0) / 2);

/**
 * Follows the stream for as long as the token is the same. Returns what ends it.
 */
export function follow() {
  const over = new AbortController();
  run(session.value.token, over.signal);
  return () => over.abort();
}

/** @param {string} token @param {AbortSignal} over */
async function run(token, over) {
  /** @type {string | null} */
  let last = null;
  let pause = FIRST_PAUSE_MS;
  connection.set('connecting');
  while (!over.aborted) {
    try {
      const response = await open(token, last, over);
      if (response.status === 404) return connection.set('none');
      if (response.status === 401 || response.status === 403) {
        if (response.status === 401) refuse(token);
        return connection.set('refused');
      }
      if (response.status === 400 && last !== null) {
        // A server that was started anew with nothing in it knows no event of before.
        last = null;
        continue;
      }
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      connection.set('live');
      for await (const { id, data } of messages(response.body)) {
        if (over.aborted) return;
        pause = FIRST_PAUSE_MS;
        last = id ?? last;
        hear(data);
      }
    } catch {
      // Nothing answers, or it broke off: both are told by the state, and tried again.
    }
    if (over.aborted) return;
    connection.set('lost');
    await quiet(pause, over);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
}

/** @param {string} token @param {string | null} last @param {AbortSignal} signal */
function open(token, last, signal) {
  /** @type {Record<string, string>} */
  const headers = { authorization: `Bearer ${token}` };
  if (last !== null) headers['last-event-id'] = last;
  return fetch('/v1/events', { headers, signal, cache: 'no-store', credentials: 'omit', redirect: 'error' });
}

/** @param {string} data */
function hear(data) {
  try {
    const said = JSON.parse(data);
    if (said && typeof said.transaction_id === 'string') take(said);
  } catch {
    // What is no JSON is nothing to show.
  }
}

/** @param {number} ms @param {AbortSignal} over @returns {Promise<void>} */
const quiet = (ms, over) => new Promise((done) => {
  const end = () => { clearTimeout(timer); over.removeEventListener('abort', end); window.removeEventListener('online', end); done(); };
  const timer = setTimeout(end, ms);
  over.addEventListener('abort', end);
  window.addEventListener('online', end);
});
