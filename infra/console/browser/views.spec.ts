// Each view as it looks: light, dark and on a phone. No serious finding of axe, nothing wider than the screen, and a screenshot to look at.
import { expect, test } from './guarded.ts';
import { faultsOf, withAxe } from './look.ts';
import { answer, enter, form, problem, view } from './view.ts';

const MODES = [
  { mode: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { mode: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { mode: 'narrow', colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { mode: 'narrow-dark', colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const;

for (const { mode, colorScheme, viewport } of MODES) {
  test.describe(mode, () => {
    test.use({ colorScheme, viewport });

    test(`every view, ${mode}`, async ({ page, stack, expected }) => {
      test.setTimeout(120_000);
      expected.add(404).add(422);
      await withAxe(page);
      const faults: string[] = [];
      const look = async (name: string) => void faults.push(...(await faultsOf(page, `${name}-${mode}`)));

      await page.goto(`${stack.url}/console`);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await look('enter');

      const owner = `iris ${mode}`;
      const [id, shop] = [await stack.open(owner, '1234.56', { metadata: { branch: 'Zürich', till: '7' } }), await stack.open(`shop ${mode}`)];
      await expect.poll(async () => (await stack.wallet(id)).version).toBe(2);
      await stack.api('/v1/transfers', { source: id, destination: shop, amount: '99.90', currency: 'EUR', reference: 'order 4711, two coffee machines' });
      await stack.ask(`/v1/wallets/${id}/withdrawals`, { amount: '999999.00', currency: 'EUR', reference: 'all of it' });
      const hold = await stack.api('/v1/holds', { source: id, destination: shop, amount: '80.00', currency: 'EUR', reference: 'room 12' });
      await stack.api(`/v1/holds/${hold.id}/captures`, { amount: '30.00', final: false });
      await enter(page, stack, owner, `shop ${mode}`);
      await stack.api(`/v1/wallets/${shop}/deposits`, { amount: '20.00', currency: 'EUR' });
      await expect(page.getByRole('region', { name: 'Moving now' }).getByRole('listitem')).toHaveCount(2);
      await look('wallets');

      const go = async (hash: string) => {
        await page.evaluate((to) => { location.hash = to; }, hash);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.locator('.loading')).toHaveCount(0);
      };
      await go(`#/wallets/${id}`);
      await expect(page.locator('canvas').first()).toBeVisible();
      await page.getByRole('button', { name: 'Verify the whole chain' }).click();
      await expect(page.getByText('The chain holds.')).toBeVisible();
      await look('wallet');
      for (const part of ['attempts', 'holds', 'past', 'terms']) {
        await go(`#/wallets/${id}/${part}`);
        await look(`wallet-${part}`);
      }
      for (const kind of ['deposit', 'withdraw', 'transfer', 'payout', 'hold', 'capture', 'void', 'reverse', 'open', 'amend']) {
        await go(`#/move/${kind}`);
        await look(`move-${kind}`);
      }
      const deposit = await form(page, 'Deposit');
      await deposit.getByLabel('Into').selectOption(id);
      await deposit.getByLabel('Amount').fill('250.00');
      await deposit.getByRole('button', { name: 'Deposit' }).click();
      await expect(answer(page)).toContainText('201');
      await answer(page).getByText('The same with curl').click();
      await look('answered');
      await deposit.getByLabel('Amount').fill('1,5');
      await deposit.getByRole('button', { name: 'Deposit' }).click();
      await expect(problem(page)).toBeVisible();
      await look('refused');
      await view(page, 'Movements');
      await look('movements');
      await page.getByRole('region', { name: 'Newest' }).getByRole('link', { name: 'deposit' }).first().click();
      await expect(page.getByRole('region', { name: 'Its steps' }).getByRole('listitem').first()).toBeVisible();
      await look('movement');
      await view(page, 'Contention');
      await expect(page.getByRole('button', { name: 'Run' })).toBeVisible();
      await look('contention');
      await view(page, 'Health');
      await page.getByRole('button', { name: 'Run the audit' }).click();
      await expect(page.getByText(/Everything adds up|finding/).first()).toBeVisible();
      await look('health');
      await go('#/nowhere');
      await look('nowhere');
      expect(faults).toEqual([]);
    });
  });
}
