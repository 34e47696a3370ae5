// A wallet's statement, page by page, and its hash chain: each row held to the one before it, and the whole at a button.

import { path } from '../api.js';
import { marks, walk } from '../chain.js';
import { html } from '../html.js';
import { isZero } from '../money.js';
import { Pager } from '../pager.js';
import { ProblemCard } from '../problem.js';
import { link } from '../router.js';
import { counted, visible } from '../text.js';
import { Empty, Loading, Money, MovementLink, Table, Time, WalletLink, Words, announce } from '../ui.js';
import { useLive, usePages } from '../use.js';
import { useEffect, useMemo, useRef, useState } from '../vendor/hooks.js';

/** @typedef {import('../types').Entry} Entry */
/** @typedef {import('../chain.js').Walk} Walk */

const PAGE = 50;
/** @type {Walk} */
const NOTHING = { read: 0, of: 0, breaks: [], more: 0, points: [], done: false, problem: null };

/** How a row stands to the one before it. @param {{breaks: import('../chain.js').Break[] | undefined}} props */
function Mark({ breaks }) {
  if (!breaks) return html`<span class="mark faint" title="The row before it is on the next page">·<span class="unseen"> the row before it is on the next page</span></span>`;
  if (breaks.length === 0) return html`<span class="mark good-text" title="It names the hash of the row before it, and its version, balance and what is held follow from it">✓<span class="unseen"> follows from the row before it</span></span>`;
  return html`<span class="mark bad-text">✗ broken</span>${breaks.map((found) => html`<p class="bad-text small-text" key=${found.what}>${visible(found.what)}</p>`)}`;
}

/** What an amendment changed. @param {{row: Entry}} props */
function Changes({ row }) {
  const changes = Object.entries(row.changes ?? {});
  if (changes.length === 0) return null;
  return html`<span class="faint">${changes.map(([name, value]) => html`<${Words} text=${`${name}: ${value} `} />`)}${row.by && html`by <${Words} text=${row.by} />`}</span>`;
}

/** @param {Map<number, import('../chain.js').Break[]>} chain @returns {import('../ui.js').Column<Entry>[]} */
const columns = (chain) => [
  { name: 'Version', numeric: true, cell: (row) => row.version },
  { name: 'Time', long: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
  { name: 'What', wide: true, cell: (row) => html`<${MovementLink} id=${row.transaction_id}>${visible(row.type)}</${MovementLink}>
      ${row.counterparty && html` <span class="faint">${row.amount.startsWith('-') || row.type === 'hold' ? 'to' : 'from'}</span> <${WalletLink} id=${row.counterparty} />`}
      ${row.reference && html` <q><${Words} text=${row.reference} /></q>`} <${Changes} row=${row} />` },
  { name: 'Amount', numeric: true, cell: (row) => html`<${Money} amount=${row.amount} signed />` },
  { name: 'Balance after', numeric: true, cell: (row) => html`<${Money} amount=${row.balance_after} />${!isZero(row.held_after) && html`<span class="faint block"><${Money} amount=${row.held_after} /> held</span>`}` },
  { name: 'Chain', cell: (row) => html`<${Mark} breaks=${chain.get(row.version)} />` },
];

/** The walk through the whole statement, and what came of it. @param {{id: string, whole: (points: import('../chain.js').Point[]) => void}} props */
function Chain({ id, whole }) {
  const [state, set] = useState(/** @type {Walk | null} */ (null));
  const over = useRef(/** @type {AbortController | null} */ (null));
  const [running, run] = useState(false);
  useEffect(() => () => over.current?.abort(), []);
  const verify = async () => {
    over.current?.abort();
    const mine = new AbortController();
    over.current = mine;
    run(true);
    let told = 0;
    const went = walk(id, mine.signal, (news) => {
      // A page takes a few milliseconds; the eye sees ten a second.
      if (!news.done && !news.problem && performance.now() - told < 100) return;
      told = performance.now();
      set(news);
      if (news.done) {
        whole(news.points);
        announce(news.breaks.length === 0 ? 'The chain holds' : 'The chain is broken');
      }
    });
    await went.catch((error) => set({ ...NOTHING, problem: { code: 'unreadable', title: 'An answer that is no statement', detail: String(error), status: 0, retryable: true } }));
    if (over.current === mine) run(false);
  };
  const stop = () => { over.current?.abort(); run(false); };
  const broken = state !== null && state.breaks.length + state.more > 0;
  return html`
    <div class="chain">
      <div class="actions">
        <button type="button" class="primary" disabled=${running} onClick=${verify}>Verify the whole chain</button>
        ${running && html`<button type="button" onClick=${stop}>Stop</button>`}
        ${state && html`<progress max=${state.of || 1} value=${state.read} aria-label="Rows verified"></progress> <span>${counted(state.read, 'row')} of ${state.of.toLocaleString('en')}</span>`}
      </div>
      ${state?.problem && html`<${ProblemCard} problem=${state.problem} retry=${verify} />`}
      ${state?.done && !broken && html`<div class="verdict good"><strong>✓ The chain holds.</strong> ${counted(state.read, 'row')} from the opening to now: each names the hash of the row before it, versions follow one another, and every balance is the one before it and the amount.</div>`}
      ${broken && html`<div class="verdict bad" role="alert"><strong>✗ The chain is broken ${state.breaks.length + state.more === 1 ? 'in one place' : `in ${state.breaks.length + state.more} places`}.</strong>
        <ul>${state.breaks.map((found) => html`<li key=${found.version + found.what}><strong>Version ${found.version}:</strong> ${visible(found.what)}</li>`)}</ul>
        ${[...new Set(state.breaks.map((found) => found.means))].map((means) => html`<p key=${means}><strong>What that means:</strong> ${means}</p>`)}</div>`}
      <details><summary>What the browser can verify, and what it cannot</summary>
        <p>It sees that each row names the hash of the row before it, that no version is missing, that each balance follows from the one before, that what is held changes by holds alone, and that the newest row is what the wallet says.</p>
        <p>It cannot compute a hash anew: that covers fields which the API does not show, such as who asked. Whoever rewrote all rows with fitting hashes would not be seen here.
          <a href=${link(['health'])}>The audit</a> recomputes every hash, holds each row to its transaction, and with a checkpoint kept elsewhere sees a rewritten history too.</p>
      </details>
    </div>`;
}

/** @param {{of: import('../types').Wallet, whole: (points: import('../chain.js').Point[]) => void}} props */
export function Statement({ of, whole }) {
  const pages = usePages((cursor) => path(['v1', 'wallets', of.id, 'entries'], { limit: PAGE, cursor }), 'entries');
  useLive((batch) => batch.wallets.has(of.id), () => { if (pages.page === 1) pages.reload(); });
  // Credits of a batched wallet are settled without an event: its version tells.
  const version = useRef(of.version);
  useEffect(() => {
    if (version.current !== of.version && pages.page === 1) pages.reload();
    version.current = of.version;
  }, [of.version]);
  const rows = /** @type {Entry[] | null} */ (pages.rows);
  const shape = useMemo(() => columns(marks(rows ?? [])), [rows]);
  return html`
    <${Chain} id=${of.id} whole=${whole} />
    ${pages.problem && html`<${ProblemCard} problem=${pages.problem} retry=${pages.reload} />`}
    ${!rows && !pages.problem && html`<${Loading} what="Reading the statement" />`}
    ${rows && html`<${Table} caption="Statement, newest first" columns=${shape} rows=${rows} keyOf=${(/** @type {Entry} */ row) => String(row.version)} />`}
    ${rows?.length === 1 && rows[0]?.version === 0 && html`<${Empty}><p>Only its opening so far.</p><a class="button" href=${link(['move', 'deposit'], { wallet: of.id })}>Pay something in</a></${Empty}>`}
    <${Pager} pages=${pages} />`;
}
