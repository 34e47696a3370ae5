// Ways through the page, as a person takes them.
import { expect, type Page } from '@playwright/test';
import type { Stack } from './stack.ts';

/** Opens the console for somebody who looks after these owners, and waits until it shows movements as they come. */
export async function enter(page: Page, stack: Stack, ...owners: string[]) {
  await page.goto(stack.address(...owners));
  await expect(page.getByRole('heading', { level: 1, name: 'Wallets' })).toBeVisible();
  await expect(page.getByRole('banner').getByRole('status')).toHaveText('live');
}

/** One of the views, by the links at the top. */
export async function view(page: Page, name: string) {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name, exact: true }).click();
}

/** A wallet, from the list of all. */
export async function openWallet(page: Page, id: string) {
  await view(page, 'Wallets');
  await page.getByRole('table', { name: 'Wallets' }).locator(`a[href="#/wallets/${id}"]`).click();
  await expect(page.getByText(id, { exact: true })).toBeVisible();
}

/** A part of the wallet that is open. */
export async function part(page: Page, name: string) {
  await page.getByRole('navigation', { name: 'Parts of the wallet' }).getByRole('link', { name }).click();
  return page.getByRole('region', { name, exact: true });
}

/** The form of a movement. */
export async function form(page: Page, title: string) {
  await view(page, 'Move money');
  await page.getByRole('navigation', { name: 'Ways to move money' }).getByRole('link', { name: title, exact: true }).click();
  return page.getByRole('form', { name: title, exact: true });
}

export const answer = (page: Page) => page.getByRole('region', { name: 'The answer', exact: true });
export const problem = (page: Page) => answer(page).getByRole('alert', { name: 'Refused' });

/** A figure of the wallet that is open: its balance, what is held .. */
export const figure = (page: Page, name: string) => page.locator('.figures > div').filter({ has: page.getByText(name, { exact: true }) }).locator('dd');
