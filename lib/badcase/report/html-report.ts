/**
 * The report as one HTML file that opens without a network: interactive figures (plotly.js is inside, ten megabytes of it)
 * and a table of cases that can be filtered. Titles are written by strangers: they travel as JSON whose `<` is escaped, and
 * the page shows them as text, never as markup. A content policy forbids the page every request.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Figure } from '../../figures/figure.js';
import { escapeHtml, xmlTexts } from '../../figures/text.js';
import type { BadCaseFile } from '../report-shape.js';
import { REPORT_SCRIPT } from './html-script.js';
import { REPORT_STYLE } from './html-style.js';

const CAPTIONS: Readonly<Record<string, string>> = {
  failure_patterns: 'Failure modes',
  failure_rate: 'Failure rate',
  rank_distribution: 'Ranks',
  sid_quality: 'Semantic IDs',
};

/** @param figures by name, as `reportFigures` draws them @param summary text of `summary_report.txt` */
export function htmlReport(report: BadCaseFile, figures: Readonly<Record<string, Figure>>, summary: string): string {
  const { rows, failed, topK, modes, titles, cases, verdicts } = report;
  const data = xmlTexts({ figures, titles, cases, modes: Object.keys(modes).filter((name) => modes[name]!.count > 0) });
  const plots = Object.keys(figures).map(
    (name) =>
      `<figure><div class="plot" id="${name}"></div><figcaption>${CAPTIONS[name] ?? name}</figcaption></figure>`,
  );
  const list = verdicts.map(
    ({ finding, words, advice }) =>
      `<li><b>${escapeHtml(finding)}</b>: ${escapeHtml(words)} <i>${escapeHtml(advice)}</i></li>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width">
<title>Bad cases: ${failed} of ${rows} rows</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<h1>Bad cases</h1>
<p>${failed} of ${rows} rows fail: their true item is not among the first ${topK}.</p>
<ul>${list.join('\n')}</ul>
${plots.join('\n')}
<h2>Cases</h2>
<p class="filters">
<label>Text <input id="filter-text" type="search" placeholder="title, user or item id"></label>
<label>Mode <select id="filter-mode"><option value="">any</option></select></label>
<label>Rank <select id="filter-rank"><option value="">any</option><option value="listed">in the list</option><option value="not">not listed</option></select></label>
<span id="count"></span>
<button id="back" type="button">Back</button> <button id="on" type="button">On</button>
</p>
<table><thead><tr><th>row</th><th>user</th><th>history</th><th>wanted</th><th>rank</th><th>offered</th><th>modes</th></tr></thead><tbody id="cases"></tbody></table>
<h2>Summary</h2>
<pre>${escapeHtml(summary)}</pre>
<script id="data" type="application/json">${safeJson(data)}</script>
<script>${plotlySource()}</script>
<script>${REPORT_SCRIPT}</script>
</body>
</html>
`;
}

const POLICY =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:";

/** No `<` is left that could end the script or begin a comment. */
function safeJson(value: unknown): string {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/** An end tag inside a string of the source would end the element. */
function plotlySource(): string {
  const file = createRequire(import.meta.url).resolve('plotly.js-dist');
  return readFileSync(file, 'utf8')
    .replace(/<\/(script)/gi, '<\\/$1')
    .replace(/<!--/g, '<\\!--');
}
