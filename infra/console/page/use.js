// What views keep while they are open: one thing read, and a list read by pages.

import { get } from './api.js';
import { batches, connection } from './events.js';
import { useCallback, useEffect, useRef, useState } from './vendor/hooks.js';

/** Without a stream, as in the cloud, what is on the screen is read again this often. */
export const WITHOUT_STREAM_MS = 10_000;

/**
 * @template T
 * @typedef {{body: T | null, problem: import('./api.js').Problem | null, loading: boolean, reload: () => void}} Reading
 */

/**
 * GET of a path, anew when the path changes. What was read stays while it is read again. `null`: nothing to read yet.
 * @template T
 * @param {string | null} path @param {(body: T) => void} [seen]
 * @returns {Reading<T>}
 */
export function useGet(path, seen) {
  const [state, set] = useState(/** @type {{path: string | null, body: T | null, problem: any}} */ ({ path: null, body: null, problem: null }));
  const [turn, again] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const over = new AbortController();
    get(path, over.signal).then((answer) => {
      if (!answer || over.signal.aborted) return;
      if (answer.ok && answer.body && typeof answer.body === 'object') seen?.(answer.body);
      set((before) => ({ path, body: answer.ok ? answer.body : before.path === path ? before.body : null, problem: answer.problem }));
    });
    return () => over.abort();
  }, [path, turn]);
  const reload = useCallback(() => again((before) => before + 1), []);
  const mine = state.path === path;
  return { body: mine ? state.body : null, problem: mine ? state.problem : null, loading: path !== null && !mine, reload };
}

/**
 * A list by its cursors: one page at a time is kept, and the way back.
 * @param {(cursor: string | null) => string} pathOf @param {string} name of the list, such as `entries`
 * @param {(rows: any[]) => void} [seen]
 */
export function usePages(pathOf, name, seen) {
  const [cursors, set] = useState(/** @type {(string | null)[]} */ ([null]));
  const list = pathOf(null);
  useEffect(() => set([null]), [list]);
  const cursor = cursors[cursors.length - 1] ?? null;
  /** @type {Reading<any>} */
  const reading = useGet(pathOf(cursor), (body) => seen?.(body[name] ?? []));
  /** @type {any[] | null} */
  const rows = Array.isArray(reading.body?.[name]) ? reading.body[name] : null;
  const after = reading.body?.next_cursor ?? null;
  return {
    ...reading,
    rows,
    page: cursors.length,
    more: after !== null,
    next: after === null ? undefined : () => set([...cursors, after]),
    back: cursors.length === 1 ? undefined : () => set(cursors.slice(0, -1)),
    first: cursors.length === 1 ? undefined : () => set([null]),
  };
}

/**
 * Calls `work` soon after movements that concern, once for many; where there is no stream, now and then.
 * @param {(batch: import('./events.js').Batch) => boolean} concerns @param {() => void} work @param {number} [pause_ms]
 */
export function useLive(concerns, work, pause_ms = 600) {
  const newest = useRef({ concerns, work });
  newest.current = { concerns, work };
  useEffect(() => {
    let timer = 0;
    const end = batches.watch((batch) => {
      if (timer || !newest.current.concerns(batch)) return;
      timer = window.setTimeout(() => {
        timer = 0;
        newest.current.work();
      }, pause_ms);
    });
    // What came while there was no stream is unknown.
    let before = connection.value;
    const again = connection.watch((state) => {
      if (state === 'live' && before === 'lost') newest.current.work();
      before = state;
    });
    const slowly = setInterval(() => { if (connection.value === 'none' && !document.hidden) newest.current.work(); }, WITHOUT_STREAM_MS);
    return () => {
      end();
      again();
      clearTimeout(timer);
      clearInterval(slowly);
    };
  }, []);
}
