import { createRequire } from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';
import { display, figureText, liveFigure } from '../../lib/figures/display.js';
import type { Figure } from '../../lib/figures/figure.js';
import { liveCurve } from '../../lib/figures/live-curve.js';
import { lossCurve } from '../../lib/figures/loss-curve.js';
import { inNotebook } from '../../lib/figures/notebook.js';
import { showTable, tableHtml, tableText } from '../../lib/figures/show-table.js';
import { useNotebook } from '../../lib/figures/use-notebook.js';
import { setNoticeSink, setProgressSink, startProgress, tell } from '../../lib/support/progress.js';
// prettier-ignore

type Sent = { data: Record<string, unknown>; transient: { display_id?: string }; update: boolean };
const { cache } = createRequire(import.meta.url);
const KERNEL = '/kernel/tslab/dist/jupyter.js';

/** Stands in for tslab's kernel module; returns what is sent to the notebook. */
function kernel(): Sent[] {
  const sent: Sent[] = [];
  const lastWriteDisplayData = (data: Omit<Sent, 'update'>, update: boolean) => void sent.push({ ...data, update });
  cache[KERNEL] = { exports: { lastWriteDisplayData } } as NodeJS.Module;
  return sent;
}

afterEach(() => {
  delete cache[KERNEL];
  setProgressSink(undefined);
  setNoticeSink(undefined);
  vi.restoreAllMocks();
});

test('a figure is one output in three formats', async () => {
  const sent = kernel();
  await display(lossCurve([{ step: 1, loss: 2 }]));
  expect(sent).toHaveLength(1);
  expect(Object.keys(sent[0]!.data).sort()).toEqual(['application/vnd.plotly.v1+json', 'image/svg+xml', 'text/plain']);
  expect(sent[0]!.data['image/svg+xml']).toMatch(/^<svg/);
  expect(sent[0]!.data['text/plain']).toBe('[figure: Training loss]');
});

test('a table of rows that can be had once has them in both faces', () => {
  const sent = kernel();
  showTable(new Map([['x', { a: 1 }]]).values());
  const { 'text/html': html, 'text/plain': text } = sent[0]!.data;
  expect([html, text]).toEqual([tableHtml([{ a: 1 }]), tableText([{ a: 1 }])]);
});

test('outside a notebook a figure is a line of text, a live one nothing', async () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(inNotebook()).toBe(false);
  expect(useNotebook()).toBe(false);
  await display(lossCurve([], { title: 'a & b' }));
  showTable([{ a: 1 }]);
  expect(write.mock.calls.map(([text]) => text)).toEqual(['[figure: a & b]\n', 'a\n1\n']);
  const live = liveFigure();
  live.update(lossCurve([]));
  await live.end();
  expect(write).toHaveBeenCalledTimes(2);
});

test('a live figure is one output, replaced, complete at the end', async () => {
  const sent = kernel();
  const live = liveFigure({ every: 0 });
  live.update(lossCurve([{ step: 1, loss: 2 }]));
  live.update(lossCurve([{ step: 1, loss: 2 }, { step: 2, loss: 1 }])); // prettier-ignore
  await live.end();
  expect(sent.map(({ update }) => update)).toEqual([false, true, true]);
  expect(new Set(sent.map(({ transient }) => transient.display_id)).size).toBe(1);
  expect(sent.map(({ data }) => 'image/svg+xml' in data)).toEqual([false, false, true]);
  const slow = liveFigure({ every: 60_000 });
  for (let i = 0; i < 5; i++) slow.update(lossCurve([]));
  expect(sent).toHaveLength(4);
});

test('a live curve draws what a run logs, or the log of a run that was finished before', async () => {
  const sent = kernel();
  const drawn = () => (sent.at(-1)!.data['application/vnd.plotly.v1+json'] as Figure).data.map(({ x, y }) => [x, y]);
  const live = liveCurve({ every: 0, title: 'SFT', metric: 'valid loss' });
  live.onLog([{ step: 1, loss: 2 }]);
  expect(drawn()).toEqual([[[1], [2]]]);
  live.onLog([{ step: 1, loss: 2 }, { step: 1, 'valid loss': 3 }]); // prettier-ignore
  await live.end();
  expect(drawn()).toEqual([[[1], [2]], [[1], [3]]]); // prettier-ignore
  expect(sent.map(({ data }) => 'image/svg+xml' in data)).toEqual([false, false, true]);
  expect(new Set(sent.map(({ transient }) => transient.display_id)).size).toBe(1);
  const finished = liveCurve({ title: 'SFT' });
  await finished.end([{ step: 5, loss: 1 }]);
  expect(drawn()).toEqual([[[5], [1]]]);
  expect(sent.at(-1)!.data['text/plain']).toBe('[figure: SFT]');
});

test('progress goes to one output a piece of work', () => {
  const sent = kernel();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  expect(useNotebook()).toBe(true);
  const progress = startProgress('sft <b>', 4, 'steps');
  clock.mockReturnValue(10_000);
  progress.tick(1);
  progress.end();
  expect(sent.map(({ update }) => update)).toEqual([false, true]);
  expect(sent[0]!.data['text/html']).toContain('<progress value="1" max="4"></progress> sft &lt;b&gt; 1/4 steps');
  tell('sft: <b>');
  expect(sent.at(-1)!.data).toEqual({ 'text/html': '<p>sft: &lt;b&gt;</p>', 'text/plain': 'sft: <b>' });
});

test('tables: escaped, numbers to the right, long ones cut', () => {
  const rows = [{ model: '<script>', hr: 0.04321 }, { model: 'b "c"', hr: 1, note: null }]; // prettier-ignore
  expect(tableText(rows)).toBe('model         hr  note\n<script>  0.0432\nb "c"          1');
  const html = tableHtml(rows);
  expect(html).toContain('<td style="text-align: left">&lt;script&gt;</td><td style="text-align: right">0.0432</td>');
  expect(html).toContain('b &quot;c&quot;');
  expect(tableText([{ a: 'x'.repeat(99) }, { a: '' }, { a: '' }], { most: 1, width: 4 })).toBe('a\nxxx…\n... 2 more');
  expect(figureText({ data: [], layout: {} })).toBe('[figure: without a title]');
});
