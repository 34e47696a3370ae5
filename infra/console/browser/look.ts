// What a view looks like: a screenshot that is kept, and what is wrong with it as far as a program can see.
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { ROOT } from './stack.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Must come before the page is opened: its policy lets no script in later. */
export const withAxe = (page: Page) => page.addInitScript({ path: AXE });

/** Keeps `name`.png in target/console. Returns what axe finds serious, and what is wider than the screen or its panel. */
export async function faultsOf(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  const found = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
  for (const { id, impact, nodes } of found.violations) {
    if (impact === 'serious' || impact === 'critical') faults.push(`${name}: ${id}: ${nodes.map((node) => `${node.html.slice(0, 160)} (${node.any[0]?.message ?? ''})`).join(' | ')}`);
  }
  const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth] as const);
  if (wide > screen) faults.push(`${name}: ${wide} px wide on a screen of ${screen}`);
  const spilt = await page.locator('.panel').evaluateAll((panels) => panels.filter((panel) => panel.scrollWidth > panel.clientWidth).map((panel) => panel.getAttribute('aria-label') ?? panel.id));
  if (spilt.length > 0) faults.push(`${name}: wider than its panel: ${spilt.join(', ')}`);
  await page.screenshot({ path: `${ROOT}target/console/${name}.png`, fullPage: true });
  return faults;
}
