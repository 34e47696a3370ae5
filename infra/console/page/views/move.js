// Move money: a form for each way, what it answered, the same sent again, and the curl that does the same.

import { ask, newKey, path } from '../api.js';
import { curl } from '../curl.js';
import { html } from '../html.js';
import { KINDS, callOf } from '../kinds.js';
import { ProblemCard } from '../problem.js';
import { link } from '../router.js';
import { may, session } from '../session.js';
import { under } from '../text.js';
import { Badge, Command, Heading, Words, announce } from '../ui.js';
import { useGet } from '../use.js';
import { useEffect, useRef, useState } from '../vendor/hooks.js';
import { allOwners, learn, refresh, useWallet, wallet } from '../wallets.js';
import { Outcome } from './outcome.js';
import { FormField } from './fields.js';

/** @typedef {import('../api.js').Answer} Answer */
/** @typedef {import('../api.js').Call} Call */
/** @typedef {{call: Call, answers: Answer[], names: string[]}} Sent */

/** Owners whose first wallets the form offers. */
const MAX_OWNERS = 12;

/** Reads the first wallets of an owner, so that they can be chosen. @param {{owner: string, seen: () => void}} props */
function Offer({ owner, seen }) {
  useGet(path(['v1', 'wallets'], { owner: owner === session.value.subject ? '' : owner, limit: 20 }), (body) => { learn(/** @type {any} */ (body).wallets); seen(); });
  return null;
}

/** @param {import('../kinds.js').Kind} kind @param {URLSearchParams} fields @returns {import('../kinds.js').Values} */
function initial(kind, fields) {
  /** @type {import('../kinds.js').Values} */
  const values = {};
  for (const { name, initial: value } of kind.fields) values[name] = fields.get(name) ?? value ?? '';
  if ('payments' in values) values['payments'] = [{ destination: '', amount: '', reference: '' }, { destination: '', amount: '', reference: '' }];
  const of = wallet(values[kind.currencyOf ?? ''] ?? '');
  if (of && !fields.get('currency')) values['currency'] = of.currency;
  return values;
}

/** Wallets that a call names, to be read again after it. @param {Call} call */
const named = (call) => [...new Set(JSON.stringify([call.path, call.body]).match(/wal_[0-9a-f]{32}/g) ?? [])];

/** What was answered, each time that it was sent. @param {{sent: Sent, again: () => void, busy: boolean}} props */
function Answers({ sent, again, busy }) {
  const last = sent.answers.at(-1);
  if (!last) return null;
  const repeatable = !sent.call.path.includes('dry_run=true');
  return html`
    <section class="panel answers" aria-labelledby="answer">
      <div class="panel-head"><h2 id="answer">The answer</h2>${sent.answers.length > 1 && html`<span class="faint">sent ${sent.answers.length} times with the same key</span>`}</div>
      <p class="marks">
        ${last.status > 0 && html`<${Badge} kind=${last.ok ? 'good' : 'bad'}>${last.status}</${Badge}>`}
        ${last.replayed && html`<${Badge} kind="warn">replayed: nothing has moved now</${Badge}>`}
        <span class="faint">${Math.round(last.ms)} ms</span>
      </p>
      ${last.replayed && last.ok && html`<p class="note"><strong>This is the first answer again.</strong> The key was used for this very request before: the balances in it are those of then, and the money has moved once.</p>`}
      ${last.problem ? html`<${ProblemCard} problem=${last.problem} replayed=${last.replayed} />` : html`<${Outcome} body=${last.body} />`}
      ${repeatable && html`<div class="actions"><button type="button" disabled=${busy} onClick=${again}>Send the same again</button>
        <span class="hint">${sent.call.headers?.['idempotency-key'] ? 'with the same key: it moves at most once' : 'at the same version: it changes at most once'}</span></div>`}
      <details><summary>The same with curl</summary><${Command} text=${curl(sent.call)} label="curl of what was sent" /></details>
      <details><summary>The answer as JSON</summary><pre tabindex="0" role="region" aria-label="The answer as JSON" dir="ltr">${JSON.stringify(last.body ?? last.problem, null, 2).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}</pre></details>
    </section>`;
}

/** @param {{kind: string, fields: URLSearchParams}} props */
export function Move({ kind: name, fields }) {
  const kind = under(KINDS, name);
  if (!kind) return html`<${Heading}>There is no such movement</${Heading}><p><a href=${link(['move'])}>Deposit, send, pay ..</a></p>`;
  return html`
    <${Heading}>Move money</${Heading}>
    <nav class="tabs" aria-label="Ways to move money"><ul>
      ${Object.entries(KINDS).map(([other, { title }]) => html`<li key=${other}><a href=${link(['move', other])} aria-current=${other === name ? 'page' : undefined}>${title}</a></li>`)}
    </ul></nav>
    <${Form} key=${name + fields.toString()} name=${name} kind=${kind} fields=${fields} />`;
}

/** @param {{name: string, kind: import('../kinds.js').Kind, fields: URLSearchParams}} props */
function Form({ name, kind, fields }) {
  const [values, setValues] = useState(() => initial(kind, fields));
  const [how, setHow] = useState(() => ({ key: newKey(), dry: false, queued: false, version: '' }));
  const [sent, setSent] = useState(/** @type {Sent | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [, redraw] = useState({});
  const answer = useRef(/** @type {HTMLElement | null} */ (null));
  const touched = useRef(fields.get('currency') !== null);
  const change = (/** @type {string} */ field, /** @type {any} */ value) => {
    if (field === 'currency') touched.current = true;
    setValues((before) => ({ ...before, [field]: value }));
  };
  const of = useWallet(values[kind.currencyOf ?? 'wallet'] ?? '');
  // The wallet's currency and, for an amendment, its version, until the user has others in mind.
  useEffect(() => { if (of && kind.currencyOf && !touched.current) setValues((before) => ({ ...before, currency: of.currency })); }, [of?.id]);
  useEffect(() => { if (of && kind.keyless && how.version !== '*') setHow((before) => ({ ...before, version: String(of.version) })); }, [of?.id, of?.version]);

  const call = callOf(kind, values, how);
  const send = async (/** @type {Call} */ call, /** @type {Answer[]} */ before) => {
    setBusy(true);
    const answered = await ask(call);
    setBusy(false);
    if (!answered) return;
    setSent({ call, answers: [...before, answered], names: named(call) });
    if (answered.ok && answered.body?.owner) learn([answered.body]);
    refresh(named(call));
    announce(answered.ok ? (answered.replayed ? 'Replayed: nothing has moved now' : how.dry && kind.dryRun ? 'This would be posted' : 'Done') : `Refused: ${answered.problem?.title ?? ''}`);
    requestAnimationFrame(() => answer.current?.scrollIntoView({ block: 'nearest', behavior: 'smooth' }));
    return answered;
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    const answered = await send(call, []);
    // What was answered for good has used its key up; what was not decided, or not sent, keeps it.
    if (answered && !call.path.includes('dry_run=true') && answered.status > 0 && !answered.problem?.retryable) setHow((before) => (before.key === call.headers?.['idempotency-key'] ? { ...before, key: newKey() } : before));
  };
  const seldom = kind.fields.filter((field) => field.more);
  const field = (/** @type {import('../kinds.js').Field} */ field) => html`<${FormField} key=${field.name} field=${field} value=${values[field.name]} change=${(/** @type {any} */ value) => change(field.name, value)} currency=${values['currency'] ?? ''} />`;
  return html`
    ${allOwners().slice(0, MAX_OWNERS).map((owner) => html`<${Offer} key=${owner} owner=${owner} seen=${() => redraw({})} />`)}
    <div class="columns even">
      <form class="panel" onSubmit=${submit} novalidate aria-label=${kind.title}>
        <p class="note">${kind.does}</p>
        ${!may(kind.scope) && html`<p class="note"><strong>Your token lacks <code>${kind.scope}</code></strong>, so this will be refused. Take a token with it: leave, and enter with another.</p>`}
        ${kind.fields.filter((one) => !one.more).map(field)}
        <details class="more"><summary>More: ${[...seldom.map(({ label }) => label.toLowerCase()), kind.keyless ? 'version' : 'key'].join(', ')}</summary>
          ${seldom.map(field)}
          <div class="field"><label for="key">Idempotency-Key</label>
            <span class="with-button"><input id="key" value=${how.key} autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => setHow({ ...how, key: event.currentTarget.value })} />
            <button type="button" class="small" onClick=${() => setHow({ ...how, key: newKey() })}>New</button></span>
            <span class="hint">${kind.keyless ? 'only sent with If-Match *' : 'the same key moves money at most once, for ever'}</span></div>
          ${kind.pinned && html`<div class="field"><label for="version">If-Match${kind.keyless ? '' : html` <span class="faint">optional</span>`}</label>
            <input id="version" value=${how.version} inputmode="numeric" autocomplete="off" onInput=${(/** @type {any} */ event) => setHow({ ...how, version: event.currentTarget.value.trim() })} />
            <span class="hint">only if the wallet is at this version${kind.keyless ? '; * for any' : ''}</span></div>`}
        </details>
        ${kind.dryRun && html`<div class="check"><input id="dry" type="checkbox" checked=${how.dry} onChange=${(/** @type {any} */ event) => setHow({ ...how, dry: event.currentTarget.checked })} /><label for="dry">Dry run: only ask what would happen</label></div>`}
        ${kind.queued && html`<div class="check"><input id="queued" type="checkbox" checked=${how.queued} disabled=${how.dry} onChange=${(/** @type {any} */ event) => setHow({ ...how, queued: event.currentTarget.checked })} /><label for="queued">Queued: answer at once, execute later</label></div>`}
        <div class="actions"><button type="submit" class="primary" disabled=${busy}>${busy ? 'Sending…' : how.dry && kind.dryRun ? 'Ask what would happen' : kind.button}</button></div>
        <details class="curl"><summary>The same with curl</summary>
          <p class="hint">Put a token into <code>TOKEN</code> first: <code>${'TOKEN=$(cargo wallet token --sub alice --scope "..")'}</code></p>
          <${Command} text=${curl(call)} label="curl of this form" /></details>
      </form>
      <div ref=${answer} class="answer-side">
        ${sent ? html`<${Answers} sent=${sent} busy=${busy} again=${() => send(sent.call, sent.answers)} />`
          : html`<div class="empty"><p>The answer comes here: what has moved, or why it was refused and what to do.</p><p class="faint">${name === 'payout' ? 'A payout is refused whole by the first payment that is refused.' : html`Signed in as <${Words} text=${session.value.subject ?? 'unknown'} />.`}</p></div>`}
      </div>
    </div>`;
}
