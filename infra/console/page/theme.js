// Light, dark, or as the system has it: a mark on the document that the style goes by.

import { Store, useStore } from './store.js';

const PLACE = 'wallet-console-theme';
const NAMES = ['auto', 'light', 'dark'];

/** @type {Store<string>} */
const chosen = new Store(kept());

function kept() {
  try {
    const name = localStorage.getItem(PLACE) ?? 'auto';
    return NAMES.includes(name) ? name : 'auto';
  } catch {
    return 'auto';
  }
}

/** Puts the mark where the style looks for it. */
export function theme() {
  document.documentElement.dataset['theme'] = chosen.value;
}

export function turnTheme() {
  chosen.set(NAMES[(NAMES.indexOf(chosen.value) + 1) % NAMES.length] ?? 'auto');
  try {
    localStorage.setItem(PLACE, chosen.value);
  } catch {
    // It is forgotten with the tab then.
  }
  theme();
}

export const useThemeName = () => useStore(chosen);

/** Calls `redraw` when colours have changed: by the switch, or by the system. @param {() => void} redraw */
export function onTheme(redraw) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', redraw);
  const end = chosen.watch(() => requestAnimationFrame(redraw));
  return () => {
    system.removeEventListener('change', redraw);
    end();
  };
}

/** A colour of the style as a canvas takes it. @param {string} name such as `--accent` */
export function colour(name) {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
