// Wallets that are on the screen, kept fresh: only those, each at most twice a second, a few requests at a time, however many movements come.

import { get, path } from './api.js';
import { batches, connection } from './events.js';
import { remember, session } from './session.js';
import { useEffect, useState } from './vendor/hooks.js';

/** @typedef {import('./types').Wallet} Wallet */

const ROUND_MS = 500;
const AT_ONCE = 4;
const A_ROUND = 24;
/** Without a stream, as in the cloud, what is on the screen is read again this often. */
const WITHOUT_STREAM_MS = 10_000;
const MAX_KNOWN = 2000;
const MAX_OWNERS = 50;
const MAX_STRANGE = 200;

/** As last read, by id. @type {Map<string, Wallet>} */
const known = new Map();
/** How often the connection was made: a server that was started anew may have wallets at lower versions. */
let time = 0;
/** In which of these times a wallet was read, by id. @type {Map<string, number>} */
const times = new Map();
/** Who looks at which wallet. @type {Map<string, Set<() => void>>} */
const watched = new Map();
/** To be read again, those that have waited longest first. @type {Set<string>} */
const stale = new Set();
/** Named by events, of owners that may be new. @type {Set<string>} */
const strange = new Set();

/** Whose wallets the page can offer: those of the address, and those that were seen; without any, the caller's own. */
export function allOwners() {
  const { owners, subject } = session.value;
  return owners.length > 0 || subject === null ? owners : [subject];
}

/** @param {string} owner */
export function meet(owner) {
  const { owners } = session.value;
  if (owner && !owners.includes(owner) && owners.length < MAX_OWNERS) remember(owner);
}

/** Takes wallets that a list or an answer has shown. @param {Wallet[]} wallets */
export function learn(wallets) {
  for (const wallet of Array.isArray(wallets) ? wallets : []) {
    if (typeof wallet?.id !== 'string' || typeof wallet.owner !== 'string') continue;
    const before = known.get(wallet.id);
    if (before && before.version > wallet.version && times.get(wallet.id) === time) continue;
    times.set(wallet.id, time);
    known.delete(wallet.id);
    // A list doesn't look into inboxes: what is known of one stays until the wallet is read by itself.
    known.set(wallet.id, wallet.incoming === undefined && before?.incoming !== undefined ? { ...wallet, incoming: before.incoming } : wallet);
    meet(wallet.owner);
    for (const redraw of watched.get(wallet.id) ?? []) redraw();
    // What waits is settled without an event.
    if (wallet.incoming && wallet.incoming.count > 0) setTimeout(() => stale.add(wallet.id), 1000);
  }
  for (const id of known.keys()) {
    if (known.size <= MAX_KNOWN) break;
    if (watched.has(id)) continue;
    known.delete(id);
    times.delete(id);
  }
}

/** @param {string} id */
export const wallet = (id) => known.get(id);

/** The newest known ones first, for choosing. */
export const recent = () => [...known.values()].reverse();

/** Reads these again, soon. @param {Iterable<string>} ids */
export function refresh(ids) {
  for (const id of ids) stale.add(id);
}

const ID = /^wal_[0-9a-f]{32}$/;

/** A wallet while it is on the screen; nothing of what is no id. @param {string} id @returns {Wallet | undefined} */
export function useWallet(id) {
  const [, redraw] = useState({});
  useEffect(() => {
    if (!ID.test(id)) return undefined;
    const watcher = () => redraw({});
    const watchers = watched.get(id) ?? new Set();
    watched.set(id, watchers.add(watcher));
    const before = known.get(id);
    if (!before || before.incoming === undefined) stale.add(id);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) watched.delete(id);
    };
  }, [id]);
  return known.get(id);
}

async function round() {
  if (document.hidden || !session.value.token || session.value.refused) return;
  const wanted = [...stale].filter((id) => watched.has(id));
  // One stranger a round, so that a flood of new payers is no flood of requests.
  const [stranger] = strange;
  if (stranger) strange.delete(stranger);
  const ids = stranger && wanted.length < A_ROUND ? [...wanted.slice(0, A_ROUND), stranger] : wanted.slice(0, A_ROUND);
  for (const id of ids) stale.delete(id);
  for (const id of stale) if (!watched.has(id)) stale.delete(id);
  const next = async () => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) {
      const answer = await get(path(['v1', 'wallets', id]));
      if (answer?.ok) learn([answer.body]);
      else if (answer && answer.status === 0) stale.add(id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** Keeps them fresh. Returns what ends it. */
export function keepFresh() {
  let timer = 0;
  const work = async () => {
    await round();
    timer = window.setTimeout(work, ROUND_MS);
  };
  work();
  const everything = () => refresh(watched.keys());
  const slowly = setInterval(() => { if (connection.value !== 'live') everything(); }, WITHOUT_STREAM_MS);
  const ends = [
    batches.watch(({ wallets }) => {
      for (const id of wallets) {
        if (watched.has(id)) stale.add(id);
        else if (!known.has(id) && strange.size < MAX_STRANGE) strange.add(id);
      }
    }),
    // What came while the connection was lost is unknown.
    connection.watch((state) => {
      if (state !== 'live') return;
      time += 1;
      everything();
    }),
  ];
  return () => {
    clearTimeout(timer);
    clearInterval(slowly);
    for (const end of ends) end();
  };
}

/** Forgets everything: another token may see other things. */
export function forget() {
  known.clear();
  times.clear();
  stale.clear();
  strange.clear();
}
