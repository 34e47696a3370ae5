// The steps of a movement in the order in which they happened, each beside the others in time, and what all of it costs.

import { html } from '../html.js';
import { NotHere } from '../local.js';
import { ProblemCard } from '../problem.js';
import { clock, duration, under, visible } from '../text.js';
import { Empty, Facts, Loading, MovementLink, Time } from '../ui.js';

/**
 * @typedef {{at: string, kind: string, who: string, took_ms: number | null, status: number | null, code: string | null, calls: number | null, attempts: number | null,
 *   conflicts: number | null, write_units: number | null, read_units: number | null, queue: string | null, waited_ms: number | null, transaction_id: string}} Step
 */

/**
 * What a commit wrote: a queued request has one more before it is executed, a batched credit one more when it is settled.
 * @param {Step} step @param {Step[]} earlier
 */
function committed(step, earlier) {
  const mine = earlier.filter((other) => other.transaction_id === step.transaction_id);
  const came = (/** @type {string} */ who) => mine.some((other) => other.kind === 'received' && other.who === who);
  const before = mine.some((other) => other.kind === 'commit');
  if (before && came('settle')) return 'It was settled: the wallet\u2019s balance and statement have it now';
  if (!before && mine.some((other) => other.kind === 'request' && other.status === 202)) return 'The request was put on record, to be executed later';
  return 'It was written to the table, whole: one transaction';
}

/** What happened, in a sentence. @type {Record<string, (step: Step, earlier: Step[]) => string>} */
const SENTENCES = {
  request: ({ who, status, code }) => `The function ${who} was asked${status ? ` and answered ${status}` : ''}${code ? ` (${code})` : ''}`,
  commit: committed,
  stream: ({ who }) => `The table\u2019s stream handed it to ${who || 'dispatch'}`,
  sent: ({ who, queue }) => `${who || 'dispatch'} put a message into the queue of ${queue ?? 'a function'}`,
  received: ({ who, queue }) => `${who || queue} took its message`,
  done: ({ who, code }) => `${who} was done with it${code ? ` (${code})` : ''}`,
  bus: () => 'Its event was published on the bus',
};

/** @param {Step} step */
function details({ took_ms: took, calls, attempts, conflicts, write_units: writes, read_units: reads, waited_ms: waited }) {
  return [
    took !== null && took !== undefined && `took ${duration(took)}`,
    waited !== null && waited !== undefined && `waited ${duration(waited)}`,
    calls !== null && calls !== undefined && `${calls} DynamoDB ${calls === 1 ? 'call' : 'calls'}`,
    writes !== null && writes !== undefined && `${writes} write units`,
    reads !== null && reads !== undefined && `${reads} read units`,
    attempts !== null && attempts !== undefined && attempts > 1 && `${attempts} tries`,
    conflicts !== null && conflicts !== undefined && conflicts > 0 && `${conflicts} conflicts`,
  ].filter(Boolean).join(' · ');
}

/** When a step came, in a graph of all of it. @param {{from: number, width: number, whole: number}} props */
function Bar({ from, width, whole }) {
  if (!Number.isFinite(from + width + whole)) return null;
  const x = (from / whole) * 100;
  const length = Math.max(1, (width / whole) * 100);
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6" /><rect class="part" x=${Math.min(99, x)} width=${Math.min(length, 100 - Math.min(99, x))} height="6" /></svg>`;
}

/**
 * @param {{id: string, reading: import('../use.js').Reading<any>, local: import('../local.js').Local, of: any}} props
 */
export function Timeline({ id, reading, local, of }) {
  const { body, problem, reload } = reading;
  if (local.state === 'asking') return html`<${Loading} what="Looking for its steps" />`;
  if (local.state !== 'here') {
    return html`<${NotHere} of=${local} what="the way through functions and queues" />
      ${of && html`<p class="note">What the ledger itself tells: it was ${visible(of.status)} at <${Time} at=${of.created_at} />${of.legs?.length ? `, with ${of.legs.length} legs` : ''}. In the cloud the functions' logs have its steps, under its id.</p>`}`;
  }
  if (problem?.status === 404) return html`<${Empty}><p><strong>Nothing of it was seen</strong> since this server was started. ${of ? 'It happened before that; what the ledger keeps of it is told beside.' : 'Check its id.'}</p></${Empty}>`;
  if (problem) return html`<${ProblemCard} problem=${problem} retry=${reload} />`;
  if (!body) return html`<${Loading} what="Reading its steps" />`;
  /** @type {Step[]} */
  const steps = body.steps ?? [];
  // A request's time is when it was asked, what a queue's function did has the time of its end.
  const begins = steps.map((step) => Date.parse(step.at) - (step.kind === 'done' ? step.took_ms ?? 0 : 0));
  const start = Math.min(...begins);
  const whole = Math.max(1, ...steps.map((step, index) => (begins[index] ?? start) + (step.took_ms ?? 0) - start));
  return html`
    <${Facts} of=${[
      ['From first to last', duration(whole)],
      ['Write units', body.write_units], ['Read units', body.read_units],
      ['What that costs', html`<span class="money">$${visible(body.dollars)}</span> <span class="faint">at DynamoDB's list price</span>`],
    ]} />
    <ol class="timeline">
      ${steps.map((step, index) => {
        const begin = (begins[index] ?? start) - start;
        const sentence = under(SENTENCES, step.kind)?.(step, steps.slice(0, index)) ?? `${step.kind} ${step.who}`;
        return html`
          <li key=${index} class=${`step ${step.kind} ${step.code || (step.status ?? 0) >= 400 ? 'bad' : ''} ${step.transaction_id === id ? '' : 'follows'}`}>
            <span class="when" title=${`${step.at} (UTC)`}>+${duration(Date.parse(step.at) - start)}<span class="unseen"> at ${clock(step.at)}</span></span>
            <div><p><span class="badge">${visible(step.kind)}</span> ${visible(sentence)}${step.transaction_id !== id && html` <span class="faint">– what followed, <${MovementLink} id=${step.transaction_id} /></span>`}</p>
            <p class="faint small-text">${details(step)}</p>
            <${Bar} from=${begin} width=${step.took_ms ?? 0} whole=${whole} /></div>
          </li>`;
      })}
    </ol>`;
}
