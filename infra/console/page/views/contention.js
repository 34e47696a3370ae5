// Many payers, one wallet: the three strategies one after the other, their pace and conflicts as they come, and the sum checked at the end.

import { listen } from '../api.js';
import { html } from '../html.js';
import { local, NotHere } from '../local.js';
import { pretty } from '../money.js';
import { Plot } from '../plot.js';
import { ProblemCard } from '../problem.js';
import { useStore } from '../store.js';
import { duration } from '../text.js';
import { Heading, Loading, Table, WalletLink, announce } from '../ui.js';
import { useEffect, useMemo, useRef, useState } from '../vendor/hooks.js';

/**
 * @typedef {{done: number, conflicts: number, repeated: number, settled: number, elapsed_ms: number}} Progress
 * @typedef {Progress & {wallet_id: string, expected: string, found: string, adds_up: boolean}} Done
 * @typedef {{strategy: string, movements: number, progress: Progress[], done: Done | null, problem: import('../api.js').Problem | null, stopped: boolean}} Run
 */

/** @type {{name: string, what: string, colour: string}[]} */
const STRATEGIES = [
  { name: 'optimistic', what: 'read, decide, and commit only if nobody was faster', colour: '--one' },
  { name: 'pessimistic', what: 'take turns by a lease on the wallet', colour: '--two' },
  { name: 'batched', what: 'credits wait in an inbox and are settled together', colour: '--three' },
];
const MOST = { payers: 256, movements: 5000 };
/** The pace is that of about the last second. */
const WINDOW_MS = 1000;
const MAX_POINTS = 1500;

/** Movements a second at each moment. @param {Progress[]} progress @returns {number[]} */
function paces(progress) {
  let from = 0;
  return progress.map((now, index) => {
    while (from < index - 1 && now.elapsed_ms - (progress[from + 1]?.elapsed_ms ?? 0) >= WINDOW_MS) from += 1;
    const before = index === 0 ? { done: 0, elapsed_ms: 0 } : progress[from] ?? now;
    const elapsed = now.elapsed_ms - before.elapsed_ms;
    return elapsed > 0 ? ((now.done - before.done) * 1000) / elapsed : 0;
  });
}

/** Lines side by side: uPlot wants one axis of times for all. @param {Run[]} runs @param {(run: Run) => number[]} values */
function drawn(runs, values) {
  const times = [...new Set(runs.flatMap((run) => run.progress.map((at) => at.elapsed_ms)))].sort((a, b) => a - b);
  const place = new Map(times.map((at, index) => [at, index]));
  const lines = STRATEGIES.map(({ name }) => {
    /** @type {(number | null | undefined)[]} */
    const line = Array(times.length).fill(null);
    const run = runs.find((run) => run.strategy === name);
    if (run) values(run).forEach((value, index) => { line[place.get(run.progress[index]?.elapsed_ms ?? 0) ?? 0] = value; });
    return line;
  });
  return [times.map((at) => at / 1000), ...lines];
}

/** @param {Run} run */
const lastOf = (run) => run.done ?? run.progress.at(-1);

/** @param {Run} run */
function state(run) {
  if (run.done) return run.done.adds_up ? html`<span class="good-text">✓ ${pretty(run.done.found)}, as it should be</span>` : html`<span class="bad-text">✗ ${pretty(run.done.found)} instead of ${pretty(run.done.expected)}: run the audit (Health)</span>`;
  if (run.problem) return html`<span class="bad-text">failed</span>`;
  if (run.stopped) return html`<span class="faint">stopped: not checked</span>`;
  return html`<progress max=${run.movements} value=${lastOf(run)?.done ?? 0} aria-label=${`${run.strategy}: done`}></progress>`;
}

/** @type {import('../ui.js').Column<Run>[]} */
const COLUMNS = [
  { name: 'Strategy', wide: true, cell: (run) => html`<strong>${run.strategy}</strong>${run.done && html` <${WalletLink} id=${run.done.wallet_id} />`}` },
  { name: 'Done', numeric: true, cell: (run) => `${(lastOf(run)?.done ?? 0).toLocaleString('en')} of ${run.movements.toLocaleString('en')}${run.strategy === 'batched' ? `, ${(lastOf(run)?.settled ?? 0).toLocaleString('en')} settled` : ''}` },
  { name: 'Time', numeric: true, cell: (run) => duration(lastOf(run)?.elapsed_ms ?? 0) },
  { name: 'A second', numeric: true, cell: (run) => { const last = lastOf(run); return last && last.elapsed_ms > 0 ? Math.round((last.done * 1000) / last.elapsed_ms).toLocaleString('en') : '–'; } },
  { name: 'Conflicts', numeric: true, cell: (run) => { const last = lastOf(run); return last ? html`${last.conflicts.toLocaleString('en')} <span class="faint">${last.done > 0 ? `${(last.conflicts / last.done).toFixed(2)} each` : ''}</span>` : '–'; } },
  { name: 'Sent again', numeric: true, cell: (run) => (lastOf(run)?.repeated ?? 0).toLocaleString('en') },
  { name: 'The sum', wide: true, cell: state },
];

const LINES = STRATEGIES.map(({ name, colour }) => ({ label: name, colour }));

/** @param {{runs: Run[]}} props */
function Plots({ runs }) {
  const pace = useMemo(() => drawn(runs, (run) => paces(run.progress)), [runs]);
  const conflicts = useMemo(() => drawn(runs, (run) => run.progress.map((at) => at.conflicts)), [runs]);
  const says = runs.map((run) => { const last = lastOf(run); return `${run.strategy}: ${last?.done ?? 0} done with ${last?.conflicts ?? 0} conflicts in ${duration(last?.elapsed_ms ?? 0)}`; }).join('; ');
  return html`<div class="plots">
    <div><h2>Movements a second</h2><${Plot} lines=${LINES} data=${pace} unit=" s" says=${`Movements a second. ${says}`} /></div>
    <div><h2>Conflicts so far</h2><${Plot} lines=${LINES} data=${conflicts} unit=" s" says=${`Conflicts. ${says}`} /></div>
  </div>`;
}

export function Contention() {
  const here = useStore(local);
  const [payers, setPayers] = useState('32');
  const [movements, setMovements] = useState('500');
  const [wanted, want] = useState(/** @type {string[]} */ (STRATEGIES.map(({ name }) => name)));
  const [why, complain] = useState('');
  const [runs, setRuns] = useState(/** @type {Run[]} */ ([]));
  const [running, setRunning] = useState(false);
  const over = useRef(/** @type {AbortController | null} */ (null));
  useEffect(() => () => over.current?.abort(), []);

  /** @param {Run} run @param {AbortSignal} signal @returns {Promise<boolean>} whether the next may follow */
  const one = async (run, signal) => {
    const tell = (/** @type {Partial<Run>} */ news) => { Object.assign(run, news); setRuns((before) => before.map((other) => (other.strategy === run.strategy ? { ...run } : other))); };
    setRuns((before) => [...before.filter((other) => other.strategy !== run.strategy), run]);
    const body = { payers: Number(payers), movements: run.movements, strategy: run.strategy };
    const problem = await listen({ method: 'POST', path: '/_local/contention', body }, signal, (event, said) => {
      // Half of a very long run's points are as good as all.
      const before = run.progress.length >= MAX_POINTS ? run.progress.filter((_, index) => index % 2 === 0) : run.progress;
      if (event === 'progress') tell({ progress: [...before, said] });
      else if (event === 'done') tell({ progress: [...before, said], done: said });
    });
    if (signal.aborted) tell({ stopped: true });
    else if (problem) tell({ problem });
    else if (!run.done) tell({ problem: { title: 'It broke off', detail: 'The server ended the answer before the run was over.', code: 'no_answer', status: 0, retryable: true } });
    return !signal.aborted && run.done !== null;
  };

  const start = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (running) return;
    const bad = (/** @type {string} */ text, /** @type {number} */ most) => !/^[0-9]{1,4}$/.test(text.trim()) || Number(text) < 1 || Number(text) > most;
    if (bad(payers, MOST.payers)) return complain(`Payers: a whole number from 1 to ${MOST.payers}.`);
    if (bad(movements, MOST.movements)) return complain(`Movements: a whole number from 1 to ${MOST.movements.toLocaleString('en')}.`);
    if (wanted.length === 0) return complain('Choose a strategy, or several.');
    complain('');
    const mine = new AbortController();
    over.current = mine;
    setRuns([]);
    setRunning(true);
    for (const { name } of STRATEGIES.filter(({ name }) => wanted.includes(name))) {
      const goOn = await one({ strategy: name, movements: Number(movements), progress: [], done: null, problem: null, stopped: false }, mine.signal);
      if (!goOn) break;
    }
    if (over.current !== mine) return;
    setRunning(false);
    announce(mine.signal.aborted ? 'Stopped' : 'All runs are over');
  };
  const stop = () => over.current?.abort();
  const choose = (/** @type {string} */ name, /** @type {boolean} */ on) => want(on ? [...wanted, name] : wanted.filter((other) => other !== name));
  const problem = runs.find((run) => run.problem)?.problem;

  return html`
    <${Heading}>Contention</${Heading}>
    <p class="lead">Many payers send to one wallet at once, where most ledgers slow down or lose money. Each strategy runs by itself, one after the other; at the end the wallet must have exactly what was sent.</p>
    ${here.state === 'asking' && html`<${Loading} />`}
    <${NotHere} of=${here} what="this experiment" />
    ${here.state === 'here' && html`
      <form class="panel" onSubmit=${start} novalidate>
        <div class="row">
          <div class="field"><label for="payers">Payers at once</label><input id="payers" inputmode="numeric" value=${payers} aria-describedby="payers-hint" onInput=${(/** @type {any} */ event) => setPayers(event.currentTarget.value)} /><span class="hint" id="payers-hint">1 to ${MOST.payers}</span></div>
          <div class="field"><label for="count">Movements in all, of each strategy</label><input id="count" inputmode="numeric" value=${movements} aria-describedby="count-hint" onInput=${(/** @type {any} */ event) => setMovements(event.currentTarget.value)} /><span class="hint" id="count-hint">1 to ${MOST.movements.toLocaleString('en')}</span></div>
        </div>
        <fieldset><legend>Strategies</legend>
          ${STRATEGIES.map(({ name, what }) => html`<div class="check" key=${name}><input type="checkbox" id=${`use-${name}`} checked=${wanted.includes(name)} onChange=${(/** @type {any} */ event) => choose(name, event.currentTarget.checked)} /><label for=${`use-${name}`}><strong>${name}</strong> <span class="faint">${what}</span></label></div>`)}
        </fieldset>
        <p class="why" role="alert">${why}</p>
        <div class="actions">
          <button type="submit" class="primary" disabled=${running}>${running ? 'Running…' : 'Run'}</button>
          <button type="button" disabled=${!running} onClick=${stop}>Stop</button>
        </div>
      </form>
      ${problem && html`<${ProblemCard} problem=${problem} todo=${problem.status === 409 ? 'One run at a time, of all tabs and people: wait until the other is over, or stop it where it was begun.' : undefined} />`}
      ${runs.length === 0 ? html`<div class="empty"><p>Press <strong>Run</strong>: pace and conflicts are drawn as they come. It takes some seconds.</p></div>` : html`
        <section class="panel" aria-label="Results">
          <${Table} caption="The strategies side by side" columns=${COLUMNS} rows=${runs} keyOf=${(/** @type {Run} */ run) => run.strategy} />
          <${Plots} runs=${runs} />
        </section>`}`}`;
}
