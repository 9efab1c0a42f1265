/** The HTML report: titles are text whatever they hold; a real browser opens it without an error and without a request. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { htmlReport } from '../../lib/badcase/report/html-report.js';
import { reportFigures } from '../../lib/badcase/report/report-figures.js';
import type { BadCaseFile } from '../../lib/badcase/report-shape.js';
import type { Dataset } from '../../lib/data/dataset.js';
import type { Result } from '../../lib/evaluate/results-file.js';

const HOSTILE = '</script><script>document.title = "taken"</script><img src="https://example.org/x.png"> & <b>bold</b>';
const titles = [
  'a plain one',
  HOSTILE,
  '<!-- not a comment',
  'line\u2028end',
  'quote " and \' and `${1}`',
  '\ud800 half',
];
const items = titles.map((title) => ({ title, description: '', brand: '', categories: '' }));
const train = [{ user: 't', history: [0], target: 2 }];
const dataset: Dataset = { name: 'Toys', dir: '', items, train, valid: [], test: [] };
const results: Result[] = [...Array(120).keys()].map((i) => ({
  ...{ user: i === 7 ? '<i>user</i>' : `u${i}`, history: [i % 6], target: (i + 1) % 6 },
  ...{ items: [(i + 2) % 6, (i + 3) % 6, (i + 1) % 6].slice(0, i % 5 === 0 ? 2 : 3), scores: [-1, -2, -3].slice(0, i % 5 === 0 ? 2 : 3) }, // prettier-ignore
}));

const folder = mkdtempSync(join(tmpdir(), 'html-report-'));
const file = join(folder, 'report.html');
let html = '';

beforeAll(() => {
  const { ranks, notRun: _, ...found } = badCases(results, dataset, { topK: 2 });
  const report: BadCaseFile = {
    ...found,
    ...{ version: 1, failureRate: found.failed / found.rows, notRun: {}, sidQuality: null, curves: [] },
    ranks: { '1-10': 0, '11-20': 0, '21-50': 0, beyond: 0 },
    verdicts: [{ finding: HOSTILE, value: 1, threshold: 0, words: HOSTILE, advice: HOSTILE, strategies: [] }],
    titles: Object.fromEntries(titles.entries()),
  };
  html = htmlReport(report, reportFigures(report, ranks), HOSTILE);
  writeFileSync(file, html);
});

test('no title can end the data or begin markup; nothing outside is named by the page itself', () => {
  const [, data = ''] = /<script id="data" type="application\/json">(.*?)<\/script>/s.exec(html)!;
  expect(data).not.toContain('<');
  expect((JSON.parse(data) as { titles: Record<string, string> }).titles[1]).toBe(HOSTILE);
  const page = html.slice(0, html.indexOf('<script id="data"'));
  expect(page).not.toContain('<img');
  expect(page).not.toContain('<b>bold');
  expect(page).toContain('&lt;/script&gt;');
  expect(page).toContain("default-src 'none'");
});

const browser = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync('which', [name]).status === 0,
);

describe.runIf(browser !== undefined)('in a browser', () => {
  const run = (url: string): { dom: string; log: string; requests: string[] } => {
    const net = join(folder, 'net.json');
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-features=NetworkTimeServiceQuerying']; // prettier-ignore
    const log = join(folder, 'chromium.log');
    const dom = execFileSync(
      browser!,
      [
        ...[...flags, ...quiet, `--user-data-dir=${join(folder, 'profile')}`, `--log-net-log=${net}`],
        ...['--enable-logging', `--log-file=${log}`, '--virtual-time-budget=20000', '--dump-dom', url],
      ],
      { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const requests = [...readFileSync(net, 'utf8').matchAll(/"url":"(https?:[^"]*)"/g)].map(([, address]) => address!);
    return { dom, log: readFileSync(log, 'utf8'), requests };
  };

  test('every figure is drawn, the cases are there, titles as text; no error and no request', () => {
    const { dom, log, requests } = run(`file://${file}`);
    expect(dom).toContain('data-ready="yes"');
    const body = dom.slice(dom.indexOf('<body'), dom.indexOf('<script id="data"'));
    expect(body.match(/class="main-svg"/g)!.length).toBeGreaterThanOrEqual(3);
    expect(body).toContain('&lt;/script&gt;&lt;script&gt;document.title');
    expect(body).toContain('&lt;i&gt;user&lt;/i&gt;');
    expect(body).not.toContain('<i>user');
    expect(dom).not.toContain('<title>taken');
    expect(log.split('\n').filter((line) => line.includes('CONSOLE'))).toEqual([]);
    // what the browser itself asks its maker is no request of the page
    expect(requests.filter((address) => !/^https?:\/\/[\w.-]*\.(google|googleapis|gvt1)\.com\//.test(address))).toEqual(
      [],
    );
  });

  test('the filters leave what they are asked for', () => {
    const filtered = join(folder, 'filtered.html');
    const act = `
      document.getElementById('filter-text').value = 'plain one';
      document.getElementById('filter-rank').value = 'listed';
      document.getElementById('filter-rank').dispatchEvent(new Event('input'));
      document.body.dataset.shown = document.getElementById('count').textContent;
      document.getElementById('filter-text').value = 'nobody has this';
      document.getElementById('filter-text').dispatchEvent(new Event('input'));
      document.body.dataset.none = document.getElementById('count').textContent;`;
    writeFileSync(
      filtered,
      html.replace('</body>', () => `<script>${act}</script></body>`),
    );
    const { dom } = run(`file://${filtered}`);
    // of six titles every case names four; those that lack the first one, or its target from the list, are left out
    const expected = results.filter(({ target, items: list, history }) => {
      const rank = list.indexOf(target) + 1;
      return rank > 2 && [target, ...history, ...list.slice(0, 2)].includes(0);
    }).length;
    expect(dom).toContain(`data-shown="${expected} cases, page 1"`);
    expect(dom).toContain('data-none="0 cases, page 1"');
  });
});
