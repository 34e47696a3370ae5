// A value that others watch. Views redraw when it changes, and only those that use it.

import { useEffect, useState } from './vendor/hooks.js';

/** @template T */
export class Store {
  /** @param {T} value */
  constructor(value) {
    this.value = value;
    /** @type {Set<(value: T) => void>} */
    this.watchers = new Set();
  }

  /** @param {T} value */
  set(value) {
    this.value = value;
    for (const watcher of [...this.watchers]) watcher(value);
  }

  /** Calls `watcher` at each change until the function that it returns is called. @param {(value: T) => void} watcher */
  watch(watcher) {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

/** The store's value, in a component. @template T @param {Store<T>} store @returns {T} */
export function useStore(store) {
  const [, redraw] = useState({});
  useEffect(() => store.watch(() => redraw({})), [store]);
  return store.value;
}
