// One movement followed through functions, stream, queues and bus, to what came of it.
import { expect, test } from './guarded.ts';
import { answer, enter, form, view } from './view.ts';

test('a deposit is followed to its rebate, with times, calls, units and what it costs', async ({ page, stack }) => {
  const wallet = await stack.open('fay');
  await enter(page, stack, 'fay');
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(wallet);
  await deposit.getByLabel('Amount').fill('100');
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await answer(page).getByRole('link', { name: 'Follow it' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'One deposit followed' })).toBeVisible();
  const steps = page.getByRole('region', { name: 'Its steps' });
  for (const step of ['request', 'commit', 'stream', 'sent', 'received', 'done', 'bus']) {
    await expect(steps.getByRole('listitem').filter({ has: page.getByText(step, { exact: true }) }).first(), step).toBeVisible();
  }
  await expect(steps.getByRole('listitem').first()).toContainText('The function deposit was asked and answered 201');
  await expect(steps.getByRole('listitem').first()).toContainText('2 DynamoDB calls · 6 write units');
  await expect(steps.getByText('what followed').first()).toBeVisible();
  // The deposit's 6 and the rebate's 6, at 0.625 dollars a million.
  await expect(steps).toContainText('$0.0000');
  const told = await stack.api(`/_local/movements/${page.url().split('/').at(-1)}`);
  expect(told).toMatchObject({ write_units: 12 });
  const times = told.steps.map((step: { at: string }) => step.at);
  expect(times).toEqual([...times].sort());

  // On to the rebate, and by its id again.
  await page.getByRole('region', { name: 'What it is' }).getByText('Rebate').locator('xpath=..').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1, name: 'One rebate followed' })).toBeVisible();
  const rebate = page.url().split('/').at(-1)!;
  await view(page, 'Movements');
  await page.getByLabel('Id, or a reference of yours').fill(rebate);
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page.getByRole('region', { name: 'What it is' })).toContainText('1.00 EUR');
});

test('a credit that was batched is followed to its settlement', async ({ page, stack }) => {
  const wallet = await stack.open('fred', undefined, { credits: 'batched' });
  await enter(page, stack, 'fred');
  const deposit = await form(page, 'Deposit');
  await deposit.getByLabel('Into').selectOption(wallet);
  await deposit.getByLabel('Amount').fill('8');
  await deposit.getByRole('button', { name: 'Deposit' }).click();
  await answer(page).getByRole('link', { name: 'Follow it' }).click();
  const steps = page.getByRole('region', { name: 'Its steps' });
  await expect(steps.getByText('settle was done with it').first()).toBeVisible();
  await expect(page.getByRole('table', { name: 'Legs' })).toContainText('settled');
});

test('movements are found by their reference, and what is not there is said', async ({ page, stack, expected }) => {
  expected.add(400).add(404);
  const wallet = await stack.open('ref');
  await stack.api(`/v1/wallets/${wallet}/deposits`, { amount: '1.00', currency: 'EUR', reference: 'my order 77' });
  await enter(page, stack, 'ref');
  await view(page, 'Movements');
  const field = page.getByLabel('Id, or a reference of yours');
  await field.fill('my order 77');
  await field.press('Enter');
  await expect(page.getByRole('table', { name: 'Movements with this reference' })).toContainText('1.00 EUR');
  await field.fill('no such');
  await field.press('Enter');
  await expect(page.getByText('You made no movement under')).toBeVisible();
  await field.fill('txn_0');
  await field.press('Enter');
  await expect(page.getByRole('alert', { name: 'Refused' }).first()).toContainText('transaction_not_found');
});
