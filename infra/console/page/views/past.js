// The wallet as it was: a slider between its opening and now, answered by `?at=`.

import { path } from '../api.js';
import { html } from '../html.js';
import { pretty, subtract } from '../money.js';
import { ProblemCard } from '../problem.js';
import { clock } from '../text.js';
import { Facts, Loading, Money, Time } from '../ui.js';
import { useGet } from '../use.js';
import { useEffect, useState } from '../vendor/hooks.js';

const STEPS = 1000;
/** Moving the slider asks once, when the hand rests. */
const REST_MS = 150;

/** @param {{of: import('../types').Wallet}} props */
export function Past({ of }) {
  const opened = Date.parse(of.created_at);
  const [end, setEnd] = useState(() => Date.now());
  const [at, set] = useState(end);
  const [asked, ask] = useState(at);
  const [typed, type] = useState('');
  const [why, complain] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => ask(at), REST_MS);
    return () => clearTimeout(timer);
  }, [at]);
  const time = new Date(Math.max(asked, opened)).toISOString();
  /** @type {import('../use.js').Reading<import('../types').PastWallet>} */
  const { body, problem, reload } = useGet(path(['v1', 'wallets', of.id], { at: time }));
  const span = Math.max(1, end - opened);
  const step = Math.round(((at - opened) / span) * STEPS);
  const move = (/** @type {number} */ to) => set(Math.round(opened + (span * to) / STEPS));
  const now = () => { const moment = Date.now(); setEnd(moment); set(moment); };
  const exactly = (/** @type {Event} */ event) => {
    event.preventDefault();
    const moment = Date.parse(/[zZ]$|[+-]\d\d:?\d\d$/.test(typed.trim()) ? typed.trim() : `${typed.trim().replace(' ', 'T')}Z`);
    if (Number.isNaN(moment)) return complain('Write a time as 2026-11-21T21:37:10.050Z.');
    if (moment < opened) return complain(`It was opened at ${of.created_at}: take a later time.`);
    if (moment > Date.now()) return complain('The future is not on record. Take an earlier time.');
    complain('');
    set(moment);
  };
  const difference = body && subtract(of.balance, body.balance);
  return html`
    <div class="past">
      <label for="at">At ${clock(new Date(at).toISOString())}</label>
      <input id="at" type="range" min="0" max=${STEPS} step="1" value=${step} aria-valuetext=${clock(new Date(at).toISOString())}
        onInput=${(/** @type {any} */ event) => move(Number(event.currentTarget.value))} />
      <div class="ends faint"><span>opened ${clock(of.created_at)}</span><span>now</span></div>
      <div class="actions">
        ${body && body.version > 0 && html`<button type="button" class="small" onClick=${() => set(Date.parse(body.updated_at) - 1)}>Just before version ${body.version}</button>`}
        <button type="button" class="small" onClick=${() => set(opened)}>Opening</button>
        <button type="button" class="small" onClick=${now}>Now</button>
      </div>
      <form class="inline" onSubmit=${exactly}>
        <label for="exact">Exactly at</label>
        <input id="exact" value=${typed} placeholder=${of.updated_at} autocomplete="off" spellcheck=${false} aria-describedby="exact-why" onInput=${(/** @type {any} */ event) => type(event.currentTarget.value)} />
        <button type="submit">Show</button>
      </form>
      <p id="exact-why" class="why" role="alert">${why}</p>
    </div>
    ${problem && html`<${ProblemCard} problem=${problem} retry=${reload} />`}
    ${!body && !problem && html`<${Loading} what="Looking back" />`}
    <div aria-live="polite">${body && html`<${Facts} of=${[
      ['Balance then', html`<strong class="big"><${Money} amount=${body.balance} currency=${body.currency} /></strong>`],
      ['Version then', body.version],
      ['At that version since', html`<${Time} at=${body.updated_at} />`],
      ['From then to now', html`${pretty(difference ?? '0', true)} ${of.currency}, ${of.version - body.version} versions`],
    ]} />`}</div>
    <p class="note">What the statement says of that moment. Status, terms and what was held are those of now, and not shown.</p>`;
}
