// Whether everything adds up and flows: the audit at a button, and the queues with what could not be handled.

import { html } from '../html.js';
import { local, NotHere } from '../local.js';
import { useStore } from '../store.js';
import { Heading, Loading } from '../ui.js';
import { Audit } from './audit.js';
import { Queues } from './queues.js';

export function Health() {
  const here = useStore(local);
  return html`
    <${Heading}>Health</${Heading}>
    <p class="lead">The audit reads every item and recomputes everything from it; the queues show what is still on its way, and what could not be handled.</p>
    ${here.state === 'asking' && html`<${Loading} />`}
    <${NotHere} of=${here} what="the audit and the queues" />
    ${here.state === 'absent' && html`<p class="note">Of a deployment the audit is run with <code>cargo wallet audit --table NAME</code>, and by itself every day; queues and dead letters are in the AWS console, and alarms ring for them.</p>`}
    ${here.state === 'here' && html`
      <section class="panel" aria-labelledby="audit"><h2 id="audit">Does it add up?</h2><${Audit} /></section>
      <section class="panel" aria-labelledby="queues"><h2 id="queues">Queues</h2><${Queues} /></section>`}`;
}
