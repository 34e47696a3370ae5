// The queues: what waits and for how long, and the dead letters, with why, to be driven back one by one or all.

import { ask, path } from '../api.js';
import { html } from '../html.js';
import { ProblemCard } from '../problem.js';
import { counted, duration, under, visible } from '../text.js';
import { Badge, Loading, Table, Time, announce } from '../ui.js';
import { useGet } from '../use.js';
import { useEffect, useState } from '../vendor/hooks.js';

/**
 * @typedef {{queue: string, waiting: number, oldest_ms: number | null, dead_letters: number}} Queue
 * @typedef {{message_id: string, sent_at: string, receive_count: number, reason: string | null, body: string}} Letter
 */

const EVERY_MS = 2000;
const MOST_SHOWN = 50;

/** What comes to each queue. @type {Record<string, string>} */
const JOBS = { dispatch: 'what the stream could not hand on', rebate: 'rebates of deposits', settle: 'batched credits to be settled', requests: 'requests that were queued', publish: 'events for the bus' };

/** The sentence that a message's reason is, without its address in the code. @param {{letter: Letter}} props */
const Reason = ({ letter }) => html`<bdi class="words">${visible(letter.reason ?? 'no reason was recorded')}</bdi><details><summary>Message</summary><pre tabindex="0" role="region" aria-label="The message">${visible(letter.body)}</pre></details>`;

/** @param {{queue: string, count: number, changed: () => void}} props */
function Dead({ queue, count, changed }) {
  const base = ['_local', 'queues', queue, 'dead-letters'];
  /** @type {import('../use.js').Reading<{dead_letters: Letter[]}>} */
  const { body, problem, reload } = useGet(path(base));
  const [failed, fail] = useState(/** @type {any} */ (null));
  const [busy, set] = useState(false);
  useEffect(reload, [count]);
  const drive = async (/** @type {string[]} */ parts) => {
    set(true);
    const answer = await ask({ method: 'POST', path: path([...base, ...parts, 'redrive']) });
    set(false);
    fail(answer?.problem ?? null);
    if (answer?.ok) announce(`${counted(answer.body.redriven, 'message')} driven back`);
    reload();
    changed();
  };
  const letters = body?.dead_letters ?? [];
  return html`
    <section class="dead" aria-label=${`Dead letters of ${queue}`}>
      <div class="panel-head"><h3>Dead letters of ${visible(queue)}</h3>
        ${letters.length > 0 && html`<button type="button" class="small" disabled=${busy} onClick=${() => drive([])}>Drive all back</button>`}</div>
      <p class="note">Messages that failed each time. First mend what their reason says; then drive them back: done twice is harmless, since each has its own id.</p>
      ${problem && html`<${ProblemCard} problem=${problem} retry=${reload} />`}
      ${failed && html`<${ProblemCard} problem=${failed} />`}
      ${!body && !problem && html`<${Loading} />`}
      ${letters.length > 0 && html`<${Table} caption=${`Dead letters of ${queue}, oldest first`} rows=${letters.slice(0, MOST_SHOWN)} keyOf=${(/** @type {Letter} */ row) => row.message_id} columns=${[
        { name: 'Sent', long: true, cell: (/** @type {Letter} */ row) => html`<${Time} at=${row.sent_at} />` },
        { name: 'Tries', numeric: true, cell: (/** @type {Letter} */ row) => row.receive_count },
        { name: 'Why', wide: true, cell: (/** @type {Letter} */ row) => html`<${Reason} letter=${row} />` },
        { name: 'Do', cell: (/** @type {Letter} */ row) => html`<button type="button" class="small" disabled=${busy} aria-label=${`Drive back ${row.message_id}`} onClick=${() => drive([row.message_id])}>Drive back</button>` },
      ]} />`}
      ${letters.length > MOST_SHOWN && html`<p class="note">And ${(letters.length - MOST_SHOWN).toLocaleString('en')} more.</p>`}
    </section>`;
}

/** @type {import('../ui.js').Column<Queue>[]} */
const COLUMNS = [
  { name: 'Queue', wide: true, cell: (row) => html`<strong>${visible(row.queue)}</strong> <span class="faint">${under(JOBS, row.queue) ?? ''}</span>` },
  { name: 'Waiting', numeric: true, cell: (row) => row.waiting.toLocaleString('en') },
  { name: 'Oldest', numeric: true, cell: (row) => (row.oldest_ms === null ? html`<span class="faint">–</span>` : duration(row.oldest_ms)) },
  { name: 'Dead letters', numeric: true, cell: (row) => (row.dead_letters > 0 ? html`<${Badge} kind="bad">${row.dead_letters.toLocaleString('en')}</${Badge}>` : html`<span class="good-text">none</span>`) },
];

export function Queues() {
  /** @type {import('../use.js').Reading<{queues: Queue[]}>} */
  const { body, problem, reload } = useGet('/_local/queues');
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) reload(); }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (problem) return html`<${ProblemCard} problem=${problem} retry=${reload} />`;
  if (!body) return html`<${Loading} what="Reading the queues" />`;
  const dead = body.queues.filter((queue) => queue.dead_letters > 0);
  return html`
    <${Table} caption="Queues" columns=${COLUMNS} rows=${body.queues} keyOf=${(/** @type {Queue} */ row) => row.queue} />
    ${dead.length === 0 ? html`<p class="note"><span class="good-text">✓</span> Nothing was given up. A message that fails each time would be shown here, with why.</p>`
      : dead.map(({ queue, dead_letters: count }) => html`<${Dead} key=${queue} queue=${queue} count=${count} changed=${reload} />`)}`;
}
