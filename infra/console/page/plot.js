// Lines over time, drawn by uPlot, which is loaded when the first plot is. To those who cannot see it a sentence says what it shows.

import { html } from './html.js';
import { colour, onTheme } from './theme.js';
import { useEffect, useRef } from './vendor/hooks.js';

/**
 * @typedef {{label: string, colour: string, stepped?: boolean, fill?: boolean}} Line `colour` is a name of the style's, such as `--accent`
 * @typedef {{lines: Line[], data: any[], time?: boolean, unit?: string, height?: number}} Drawing `data`: x first, then each line's y, as uPlot has it
 */

/** @param {any} uPlot @param {Drawing} drawing @param {number} width */
function options(uPlot, { lines, time, unit = '', height = 200 }, width) {
  const axis = { stroke: colour('--faint'), grid: { stroke: colour('--line'), width: 1 }, ticks: { stroke: colour('--line'), width: 1 }, font: '12px system-ui, sans-serif' };
  const short = (/** @type {number[]} */ values) => values.map((value) => value.toLocaleString('en', { notation: Math.abs(value) >= 1e5 ? 'compact' : 'standard', maximumFractionDigits: 2 }));
  return {
    width, height, ms: 1e-3, legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    ...(time && { tzDate: (/** @type {number} */ at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC') }),
    scales: { x: { time: Boolean(time) }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => spread(low, high) } },
    axes: [{ ...axis, space: 70, values: (/** @type {any} */ _, /** @type {number[]} */ values, /** @type {any} */ __, /** @type {any} */ ___, /** @type {number} */ step) => values.map((value) => (time ? moment(value, step) : `${value}${unit}`)) },
      { ...axis, size: 64, values: (/** @type {any} */ _, /** @type {number[]} */ values) => short(values) }],
    series: [time ? { label: 'Time (UTC)', value: (/** @type {any} */ _, /** @type {number | null} */ at) => (at === null ? '--' : new Date(at * 1000).toISOString().slice(0, 23).replace('T', ' ')) } : { label: unit ? 'After' : 'Version', value: (/** @type {any} */ _, /** @type {number | null} */ at) => (at === null ? '--' : `${at}${unit}`) }, ...lines.map((line) => ({
      label: line.label, stroke: colour(line.colour), width: 2, points: { show: false }, spanGaps: true,
      ...(line.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
      ...(line.fill && { fill: faded(colour(line.colour)) }),
    }))],
  };
}

/** As much of a time as steps so long tell apart, in UTC. @param {number} at @param {number} step seconds */
function moment(at, step) {
  const iso = new Date(at * 1000).toISOString();
  if (step < 1) return iso.slice(14, 23);
  if (step < 60) return iso.slice(11, 19);
  return step < 86_400 ? iso.slice(11, 16) : iso.slice(0, 10);
}

/** From zero, where all is above it, and with room around. @param {number | null} low @param {number | null} high @returns {[number, number]} */
function spread(low, high) {
  if (low === null || high === null) return [0, 1];
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const room = (to - from || 1) * 0.06;
  return [from < 0 ? from - room : 0, to + room];
}

/** @param {string} rgb such as `rgb(1, 2, 3)` */
const faded = (rgb) => (rgb.startsWith('rgb(') ? rgb.replace('rgb(', 'rgba(').replace(')', ', 0.12)') : 'transparent');

/** @param {Drawing & {says: string}} props */
export function Plot({ says, ...drawing }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const newest = useRef(drawing);
  newest.current = drawing;
  const shape = JSON.stringify([drawing.lines, drawing.unit, drawing.height]);
  useEffect(() => {
    let over = false;
    /** @type {any} */
    let uPlot = null;
    const draw = () => {
      if (over || !uPlot || !place.current) return;
      plot.current?.destroy();
      const width = Math.max(200, place.current.clientWidth);
      plot.current = new uPlot(options(uPlot, newest.current, width), newest.current.data, place.current);
    };
    import('./vendor/uplot.js').then((module) => { uPlot = module.default; draw(); }, () => {});
    const end = onTheme(draw);
    const watcher = new ResizeObserver(() => {
      if (plot.current && place.current) plot.current.setSize({ width: Math.max(200, place.current.clientWidth), height: newest.current.height ?? 200 });
    });
    if (place.current) watcher.observe(place.current);
    return () => {
      over = true;
      end();
      watcher.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(drawing.data), [drawing.data]);
  return html`<figure class="plot"><div ref=${place} role="img" aria-label=${says}></div></figure>`;
}
