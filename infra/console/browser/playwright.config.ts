// How the browser tests run: Debian's chromium, headless, against servers of their own on loopback. Nothing is downloaded.
import { defineConfig } from '@playwright/test';
import { ROOT } from './stack.ts';

export default defineConfig({
  testDir: '.',
  outputDir: `${ROOT}target/console/results`,
  // A worker is a browser and a server, for each of two cores. No test is given a second try.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      // Its sandbox doesn't start for root, as which CI runs; the pages are our own.
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
    viewport: { width: 1280, height: 900 },
    timezoneId: 'UTC',
    locale: 'en-GB',
    screenshot: 'only-on-failure',
  },
});
