// Many payers and one wallet: three strategies side by side, stopped half way, and the sum checked.
import { expect, test } from './guarded.ts';
import { faultsOf, withAxe } from './look.ts';
import { enter, view } from './view.ts';

test('three strategies side by side, and each adds up', async ({ page, stack }) => {
  await withAxe(page);
  await enter(page, stack, 'nobody');
  await view(page, 'Contention');
  await page.getByLabel('Payers at once').fill('8');
  await page.getByLabel('Movements in all').fill('30');
  await page.getByRole('button', { name: 'Run' }).click();
  const results = page.getByRole('table', { name: 'The strategies side by side' });
  for (const strategy of ['optimistic', 'pessimistic', 'batched']) {
    const row = results.getByRole('row').filter({ has: page.getByText(strategy, { exact: true }) });
    await expect(row).toContainText('30 of 30', { timeout: 30_000 });
    await expect(row).toContainText('as it should be', { timeout: 30_000 });
    // The wallet has what the row says.
    const id = (await row.getByRole('link').getAttribute('title'))!;
    const found = (await row.innerText()).match(/✓ ([0-9.,]+),/)![1];
    expect((await stack.wallet(id)).balance).toBe(found);
  }
  await expect(page.getByRole('img', { name: /^Movements a second.*batched: 30 done/ }).locator('canvas')).toBeVisible();
  await expect(page.getByRole('img', { name: /^Conflicts/ }).locator('canvas')).toBeVisible();
  expect(await faultsOf(page, 'contention-results-light')).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await faultsOf(page, 'contention-results-narrow-dark')).toEqual([]);
});

test('a run is stopped, and another begins', async ({ page, stack, expected }) => {
  expected.add(409);
  await enter(page, stack, 'nobody');
  await view(page, 'Contention');
  for (const [field, value, why] of [['Payers at once', '0', '1 to 256'], ['Payers at once', '257', '1 to 256'], ['Payers at once', 'many', '1 to 256'], ['Movements in all', '5001', '1 to 5,000'], ['Movements in all', '-1', '1 to 5,000']] as const) {
    await page.getByLabel('Payers at once').fill('4');
    await page.getByLabel('Movements in all').fill('10');
    await page.getByLabel(field).fill(value);
    await page.getByRole('button', { name: 'Run' }).click();
    await expect(page.getByRole('alert').filter({ hasText: why })).toBeVisible();
  }
  await page.getByLabel('Payers at once').fill('32');
  await page.getByLabel('Movements in all').fill('5000');
  await page.getByRole('checkbox', { name: 'pessimistic' }).uncheck();
  await page.getByRole('button', { name: 'Run' }).click();
  const results = page.getByRole('table', { name: 'The strategies side by side' });
  await expect(results).toContainText('of 5,000');
  // One run at a time: another client is told so.
  expect((await stack.ask('/_local/contention', { payers: 1, movements: 1, strategy: 'batched' })).status).toBe(409);
  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(results).toContainText('stopped: not checked');
  await expect(results.getByRole('row')).toHaveCount(2);
  await page.getByRole('checkbox', { name: 'optimistic' }).uncheck();
  await page.getByLabel('Movements in all').fill('20');
  // What was stopped ends its last movements first.
  await expect(async () => {
    await page.getByRole('button', { name: 'Run' }).click();
    await expect(results).toContainText('as it should be', { timeout: 5_000 });
  }).toPass({ timeout: 30_000 });
});
