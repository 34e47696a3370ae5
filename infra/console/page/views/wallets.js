// The first view: what this is, whose wallets there are, and what moves.

import { path } from '../api.js';
import { feed } from '../events.js';
import { Feed } from './feed.js';
import { html } from '../html.js';
import { isZero } from '../money.js';
import { Pager } from '../pager.js';
import { ProblemCard } from '../problem.js';
import { go, link } from '../router.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { counted, shortId, visible } from '../text.js';
import { Empty, Heading, Loading, Money, Status, Table, Words } from '../ui.js';
import { useGet, useLive, usePages } from '../use.js';
import { useEffect, useState } from '../vendor/hooks.js';
import { allOwners, learn, meet, useWallet, wallet as known } from '../wallets.js';

/** @typedef {import('../types').Wallet} WalletType */

const PAGE = 50;
/** Without a choice: this many owners, and this many wallets of each. */
const MAX_OWNERS = 12;
const OF_EACH = 8;
/** Opening a wallet is no movement: a list is read again this often. */
const SLOWLY_MS = 15_000;

/** One cell of a wallet that is kept fresh while it is shown. @param {{of: WalletType, show: (wallet: WalletType) => any}} props */
function Fresh({ of, show }) {
  return show(useWallet(of.id) ?? of);
}

/** @param {(wallet: WalletType) => any} show */
const fresh = (show) => (/** @type {WalletType} */ row) => html`<${Fresh} of=${row} show=${show} />`;

/** @type {import('../ui.js').Column<WalletType>[]} */
const COLUMNS = [
  { name: 'Wallet', wide: true, cell: (row) => html`<a href=${link(['wallets', row.id])} title=${row.id}><strong><${Words} text=${row.owner} /></strong> <code>${shortId(row.id)}</code></a>` },
  { name: 'Balance', numeric: true, cell: fresh((row) => html`<${Flash} value=${row.balance}><${Money} amount=${row.balance} currency=${row.currency} /></${Flash}>`) },
  { name: 'Held', numeric: true, cell: fresh((row) => (isZero(row.held) ? html`<span class="faint">–</span>` : html`<${Money} amount=${row.held} />`)) },
  { name: 'Incoming', numeric: true, cell: fresh((row) => html`<${Incoming} of=${row} />`) },
  { name: 'Version', numeric: true, cell: fresh((row) => row.version) },
  { name: 'Status', cell: fresh((row) => html`<${Status} status=${row.status} />${row.credits === 'batched' && html` <span class="badge">batched</span>`}`) },
];

/** What waits to be settled. @param {{of: WalletType}} props */
export function Incoming({ of: { incoming } }) {
  if (!incoming || incoming.count === 0) return html`<span class="faint">–</span>`;
  return html`<${Money} amount=${incoming.amount} signed /> <span class="faint">(${incoming.complete ? '' : 'about '}${incoming.count})</span>`;
}

/** Lights up when its value changes. @param {{value: string, children?: any}} props */
export function Flash({ value, children }) {
  const [seen, set] = useState({ value, turn: 0 });
  useEffect(() => {
    if (seen.value !== value) set({ value, turn: seen.turn + 1 });
  }, [value]);
  return html`<span key=${seen.turn} class=${seen.turn > 0 ? 'flash' : ''}>${children}</span>`;
}

/** @param {{rows: WalletType[], caption: string}} props */
const List = ({ rows, caption }) => html`<${Table} caption=${caption} columns=${COLUMNS} rows=${rows} keyOf=${(/** @type {WalletType} */ row) => row.id} />`;

/** Those of one owner, page by page. @param {{owner: string}} props */
function OfOne({ owner }) {
  const pages = usePages((cursor) => path(['v1', 'wallets'], { owner: owner === session.value.subject ? '' : owner, limit: PAGE, cursor }), 'wallets', learn);
  useLive((batch) => [...batch.wallets].some((id) => !known(id)), pages.reload, 2000);
  useEvery(pages.reload);
  if (pages.problem) return html`<${ProblemCard} problem=${pages.problem} retry=${pages.reload} />`;
  if (!pages.rows) return html`<${Loading} what="Reading the wallets" />`;
  if (pages.rows.length === 0) {
    return html`<${Empty}><p><strong><${Words} text=${owner} /> has no wallet yet.</strong> Check the name, or open one.</p>
      <a class="button" href=${link(['move', 'open'], { owner })}>Open a wallet for <${Words} text=${owner} /></a></${Empty}>`;
  }
  return html`<${List} rows=${pages.rows} caption=${`Wallets of ${visible(owner)}`} /><${Pager} pages=${pages} newer="Before" older="After" />`;
}

/** @param {() => void} work */
function useEvery(work) {
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) work(); }, SLOWLY_MS);
    return () => clearInterval(timer);
  }, []);
}

/** The first few of an owner, as rows of the table of all. @param {{owner: string, found: (owner: string, rows: WalletType[], more: boolean, problem: any) => void}} props */
function FirstOf({ owner, found }) {
  const reading = useGet(path(['v1', 'wallets'], { owner: owner === session.value.subject ? '' : owner, limit: OF_EACH }));
  const { body, problem } = /** @type {any} */ (reading);
  useLive((batch) => [...batch.wallets].some((id) => !known(id)), reading.reload, 2000);
  useEvery(reading.reload);
  useEffect(() => {
    if (body) {
      learn(body.wallets);
      found(owner, body.wallets, body.next_cursor !== null, null);
    } else if (problem) found(owner, [], false, problem);
  }, [body, problem]);
  return null;
}

function OfAll() {
  useStore(session);
  const owners = allOwners().slice(0, MAX_OWNERS);
  const [of, set] = useState(/** @type {Map<string, {rows: WalletType[], more: boolean, problem: any}>} */ (new Map()));
  const found = (/** @type {string} */ owner, /** @type {WalletType[]} */ rows, /** @type {boolean} */ more, /** @type {any} */ problem) =>
    set((before) => new Map(before).set(owner, { rows, more, problem }));
  const answered = owners.filter((owner) => of.has(owner));
  const rows = answered.flatMap((owner) => of.get(owner)?.rows ?? []);
  const problem = answered.map((owner) => of.get(owner)?.problem).find(Boolean);
  return html`
    ${owners.map((owner) => html`<${FirstOf} key=${owner} owner=${owner} found=${found} />`)}
    ${answered.length < owners.length && rows.length === 0 && html`<${Loading} what="Reading the wallets" />`}
    ${problem && html`<${ProblemCard} problem=${problem} />`}
    ${rows.length > 0 && html`<${List} rows=${rows} caption="Wallets of all known owners" />`}
    ${owners.filter((owner) => of.get(owner)?.more).map((owner) => html`<p key=${owner} class="note">Of <${Words} text=${owner} /> only the first ${OF_EACH}: <a href=${link(['wallets'], { owner })}>all of them</a></p>`)}
    ${rows.length === 0 && !problem && answered.length === owners.length && html`
      <${Empty}><p><strong>No wallet is known here yet.</strong> Open one, or name an owner above: the API lists wallets by owner only.</p>
        <a class="button primary" href=${link(['move', 'open'])}>Open a wallet</a></${Empty}>`}`;
}

/** @param {{owner: string}} props */
function Owners({ owner }) {
  useStore(session);
  const [text, set] = useState('');
  const show = (/** @type {Event} */ event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (!wanted) return;
    set('');
    if (/^wal_[0-9a-f]{32}$/.test(wanted)) return go(link(['wallets', wanted]));
    if (/^txn_[0-9a-f]{32}$/.test(wanted)) return go(link(['movements', wanted]));
    meet(wanted);
    go(link(['wallets'], { owner: wanted }));
  };
  const all = allOwners();
  const shown = owner && !all.includes(owner) ? [...all, owner] : all;
  return html`
    <div class="owners">
      <nav aria-label="Owners"><ul class="chips">
        <li><a class="chip" href=${link(['wallets'])} aria-current=${owner === '' ? 'true' : undefined}>All known</a></li>
        ${shown.map((name) => html`<li key=${name}><a class="chip" href=${link(['wallets'], { owner: name })} aria-current=${owner === name ? 'true' : undefined}><${Words} text=${name} /></a></li>`)}
      </ul></nav>
      <form class="inline" role="search" onSubmit=${show}>
        <label class="unseen" for="owner">Owner, wallet or movement to look up</label>
        <input id="owner" placeholder="owner, wal_… or txn_…" value=${text} autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} />
        <button type="submit">Show</button>
      </form>
    </div>`;
}

/** @param {{owner: string}} props */
export function Wallets({ owner }) {
  const { count, perSecond } = useStore(feed);
  return html`
    <${Heading} aside=${html`<div class="actions"><a class="button primary" href=${link(['move', 'transfer'])}>Move money</a> <a class="button" href=${link(['move', 'open'])}>Open a wallet</a></div>`}>Wallets</${Heading}>
    <p class="lead">A ledger of wallets that you can watch: move money, see it refused or paid back, follow one movement through every function and queue, and check that it all adds up.</p>
    <div class="columns">
      <section aria-label="Wallets" class="panel">
        <${Owners} owner=${owner} />
        ${owner ? html`<${OfOne} key=${owner} owner=${owner} />` : html`<${OfAll} />`}
      </section>
      <section aria-labelledby="now" class="panel">
        <div class="panel-head"><h2 id="now">Moving now</h2><span class="faint">${counted(count, 'movement')}${perSecond > 0 ? `, ${perSecond}/s` : ''}</span></div>
        <${Feed} most=${12} />
      </section>
    </div>`;
}
