// One movement followed: what became of it, and each step that it took, with times, calls, write units and what that costs.

import { path } from '../api.js';
import { Feed } from './feed.js';
import { html } from '../html.js';
import { local } from '../local.js';
import { ProblemCard } from '../problem.js';
import { go, link } from '../router.js';
import { useStore } from '../store.js';
import { visible } from '../text.js';
import { Empty, Heading, Id, Loading, Money, MovementLink, Status, Table, Time, Words } from '../ui.js';
import { useGet, useLive, usePages } from '../use.js';
import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { Pager } from '../pager.js';
import { HoldFacts, Legs, MovementFacts } from './outcome.js';
import { Timeline } from './timeline.js';

/** What follows comes within seconds: so often, and at these times, it is looked for again. */
const LOOK_AGAIN_MS = [300, 1000, 2000, 4000, 8000];

/** @type {import('../ui.js').Column<any>[]} */
const COLUMNS = [
  { name: 'Time', long: true, cell: (row) => html`<${Time} at=${row.created_at} />` },
  { name: 'What', wide: true, cell: (row) => html`<${MovementLink} id=${row.id}>${visible(row.type)}</${MovementLink}>` },
  { name: 'Amount', numeric: true, cell: (row) => html`<${Money} amount=${row.amount} currency=${row.currency} />` },
  { name: 'Status', cell: (row) => html`<${Status} status=${row.status} />` },
];

/** @param {{reference: string}} props */
function ByReference({ reference }) {
  const pages = usePages((cursor) => path(['v1', 'transactions'], { reference, limit: 20, cursor }), 'transactions');
  if (pages.problem) return html`<${ProblemCard} problem=${pages.problem} retry=${pages.reload} />`;
  if (!pages.rows) return html`<${Loading} what="Looking it up" />`;
  if (pages.rows.length === 0) return html`<${Empty}><p><strong>You made no movement under <q><${Words} text=${reference} /></q>.</strong> The API lists only those that you asked for yourself; another's are found by their id, or in a statement.</p></${Empty}>`;
  return html`<${Table} caption="Movements with this reference" columns=${COLUMNS} rows=${pages.rows} keyOf=${(/** @type {any} */ row) => row.id} /><${Pager} pages=${pages} />`;
}

/** @param {{reference: string}} props */
export function Movements({ reference }) {
  const [text, set] = useState('');
  const show = (/** @type {Event} */ event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (!wanted) return;
    go(wanted.startsWith('txn_') ? link(['movements', wanted]) : link(['movements'], { reference: wanted }));
  };
  return html`
    <${Heading}>Movements</${Heading}>
    <p class="lead">Choose a movement to see each step that it took: request, commit, stream, queue, and what followed from it.</p>
    <section class="panel" aria-label="Find a movement">
      <form class="inline" role="search" onSubmit=${show}>
        <label for="movement">Id, or a reference of yours</label>
        <input id="movement" value=${text} placeholder="txn_… or order 1" autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => set(event.currentTarget.value)} />
        <button type="submit">Find</button>
      </form>
      ${reference && html`<h2>Under <q><${Words} text=${reference} /></q></h2><${ByReference} key=${reference} reference=${reference} />`}
    </section>
    <section class="panel" aria-labelledby="newest"><h2 id="newest">Newest</h2><${Feed} most=${50} /></section>`;
}

/** The transaction by itself, or the hold that it made. @param {{id: string, of: any}} props */
function What({ id, of }) {
  const isHold = of.type === 'hold';
  const { body } = useGet(isHold ? path(['v1', 'holds', id]) : null);
  const reversible = of.status === 'posted' && !of.reversed_by && ['deposit', 'withdrawal', 'transfer', 'payout', 'capture'].includes(of.type);
  return html`
    <${MovementFacts} of=${of} />
    ${of.reason && html`<${ProblemCard} problem=${{ title: 'Refused, and on record', status: 0, retryable: false, ...of.reason }} />`}
    ${body && html`<h3>The hold now</h3><${HoldFacts} of=${body} />`}
    <${Legs} legs=${of.legs ?? []} />
    ${reversible && html`<div class="actions"><a class="button" href=${link(['move', 'reverse'], { transaction: id })}>Undo it</a></div>`}`;
}

/** @param {{id: string}} props */
export function Movement({ id }) {
  const here = useStore(local);
  /** @type {import('../use.js').Reading<any>} */
  const transaction = useGet(path(['v1', 'transactions', id]));
  /** @type {import('../use.js').Reading<any>} */
  const steps = useGet(here.state === 'here' ? path(['_local', 'movements', id]) : null);
  const again = () => { transaction.reload(); steps.reload(); };
  /** @type {string[]} */
  const related = steps.body?.related ?? [];
  useLive((batch) => batch.movements.some((movement) => movement.transaction_id === id || movement.parent_id === id || related.includes(movement.transaction_id)), again, 300);
  const newest = useRef(again);
  newest.current = again;
  useEffect(() => {
    const timers = LOOK_AGAIN_MS.map((ms) => setTimeout(() => newest.current(), ms));
    return () => timers.forEach(clearTimeout);
  }, [id]);
  const of = transaction.body;
  return html`
    <p class="crumbs"><a href=${link(['movements'])}>Movements</a></p>
    <${Heading}>${of ? `One ${visible(of.type)} followed` : 'One movement followed'}</${Heading}>
    <${Id} id=${id} />
    <div class="columns near">
      <section class="panel" aria-labelledby="steps">
        <h2 id="steps">Its steps</h2>
        <${Timeline} id=${id} reading=${steps} local=${here} of=${of} />
      </section>
      <section class="panel" aria-labelledby="what">
        <h2 id="what">What it is</h2>
        ${transaction.problem && html`<${ProblemCard} problem=${transaction.problem} retry=${again} />`}
        ${!of && !transaction.problem && html`<${Loading} what="Reading the movement" />`}
        ${of && html`<${What} id=${id} of=${of} />`}
        ${related.length > 0 && html`<h3>Related</h3><ul class="plain">${related.map((other) => html`<li key=${other}><${MovementLink} id=${other} /></li>`)}</ul>`}
      </section>
    </div>`;
}
