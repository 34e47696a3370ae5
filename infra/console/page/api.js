// Calls of the API: one way to ask, and one shape for every answer, so that no view meets an exception.

import { refuse, session } from './session.js';
import { messages } from './sse.js';

/**
 * @typedef {{method: string, path: string, headers?: Record<string, string>, body?: unknown}} Call
 * @typedef {{title: string, detail: string, code: string, status: number, retryable: boolean, request_id?: string, wallet_id?: string,
 *   available?: string, requested?: string, payment?: number}} Problem
 * @typedef {{ok: boolean, status: number, replayed: boolean, etag: string | null, retryAfter: string | null, ms: number, body: any, problem: Problem | null}} Answer
 */

const PATIENCE_MS = 60_000;

/** A key that nobody has used. */
export function newKey() {
  // Only a page of https or loopback has `randomUUID`; the console is one.
  return `console-${crypto.randomUUID()}`;
}

/**
 * A path with its queries; those that are absent or empty are left out.
 * @param {string[]} parts @param {Record<string, string | number | null | undefined>} [queries]
 */
export function path(parts, queries = {}) {
  const given = Object.entries(queries).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const query = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
  // A browser would take `..` for the way up, however it is written; with a blank after it, it is a name that isn't there.
  const segment = (/** @type {string} */ part) => encodeURIComponent(/^\.{1,2}$/.test(part) ? `${part} ` : part);
  return `/${parts.map(segment).join('/')}${query ? `?${query}` : ''}`;
}

/** @param {Call} call @param {AbortSignal} signal @param {string} token */
function send({ method, path, headers = {}, body }, signal, token) {
  /** @type {Record<string, string>} */
  const all = { authorization: `Bearer ${token}`, ...headers };
  if (body !== undefined) all['content-type'] ??= 'application/json';
  const content = body === undefined ? null : JSON.stringify(body);
  return fetch(path, { method, headers: all, body: content, signal, cache: 'no-store', credentials: 'omit', redirect: 'error' });
}

/** What is told when there is no answer that says it. @param {string} code @param {string} title @param {string} detail @param {number} [status] @returns {Problem} */
const own = (code, title, detail, status = 0) => ({ code, title, detail, status, retryable: true });

/** @param {unknown} error @param {Call} call @returns {Problem} */
function unanswered(error, call) {
  const said = error instanceof Error ? error.message : String(error);
  // The browser sends no header that it cannot write, and says so in the same kind of exception as when nothing answers.
  const broken = Object.entries(call.headers ?? {}).find(([, value]) => !/^[\t\x20-\x7e]*$/.test(value));
  if (broken) return { ...own('not_sent', 'Not sent', `The header ${broken[0]} can only have printable ASCII characters. Nothing was sent.`), retryable: false };
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return own('no_answer', 'No answer in time', `Nothing was answered within ${PATIENCE_MS / 1000} s. It may have been done: the same key tells.`);
  }
  return own('no_answer', 'No answer', `The server does not answer (${said}). It may have been done all the same, if it was sent: the same key tells.`);
}

/** @param {Response} response @returns {Promise<{body: any, problem: Problem | null}>} */
async function contents(response) {
  const text = await response.text();
  /** @type {any} */
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    const unreadable = own('unreadable', 'An answer that is no JSON', `Status ${response.status}: ${text.slice(0, 200) || 'nothing'}`, response.status);
    return { body: null, problem: unreadable };
  }
  if (response.ok) return { body, problem: null };
  const said = body && typeof body === 'object' ? body : {};
  // A gateway of the cloud words some answers itself, as `{"message": ".."}`.
  const problem = { ...own(`status_${response.status}`, `Status ${response.status}`, String(said.message ?? ''), response.status), ...said };
  return { body, problem };
}

/** A signal for both: the caller's, and the end of all patience. @param {AbortSignal | undefined} signal */
const within = (signal) => AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])]);

/**
 * Asks, and never throws: what went wrong is the answer's problem. `null` where the caller has given up.
 * @param {Call} call @param {AbortSignal} [signal]
 * @returns {Promise<Answer | null>}
 */
export async function ask(call, signal) {
  const { token } = session.value;
  const began = performance.now();
  /** @param {Partial<Answer>} answer @returns {Answer} */
  const answer = (answer) => ({
    ok: false, status: 0, replayed: false, etag: null, retryAfter: null, ms: performance.now() - began, body: null, problem: null, ...answer,
  });
  try {
    const response = await send(call, within(signal), token);
    const { body, problem } = await contents(response);
    if (response.status === 401) refuse(token);
    const header = (/** @type {string} */ name) => response.headers.get(name);
    return answer({
      ok: !problem, status: response.status, body, problem, etag: header('etag'), retryAfter: header('retry-after'),
      replayed: header('idempotent-replayed') === 'true',
    });
  } catch (error) {
    return signal?.aborted ? null : answer({ problem: unanswered(error, call) });
  }
}

/** @param {string} path @param {AbortSignal} [signal] */
export const get = (path, signal) => ask({ method: 'GET', path }, signal);

/**
 * Asks for what comes bit by bit: calls `heard` for each event, until the end or the signal. Returns the problem that ended it, or `null`.
 * @param {Call} call @param {AbortSignal} signal @param {(event: string, data: any) => void} heard
 * @returns {Promise<Problem | null>}
 */
export async function listen(call, signal, heard) {
  const { token } = session.value;
  try {
    const response = await send(call, signal, token);
    if (response.status === 401) refuse(token);
    if (!response.ok || !response.body) {
      const { problem } = await contents(response);
      return problem ?? own('unreadable', 'An answer without content', '', response.status);
    }
    for await (const { event, data } of messages(response.body)) {
      const said = JSON.parse(data);
      if (event === 'problem') return { ...own('failed', 'It failed', ''), ...said };
      heard(event, said);
    }
    return null;
  } catch (error) {
    return signal.aborted ? null : unanswered(error, call);
  }
}
