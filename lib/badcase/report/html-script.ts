/** The script of the HTML report: draws the figures, and shows the cases that the filters leave, a page at a time. */
export const REPORT_SCRIPT = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
for (const [name, { data: traces, layout }] of Object.entries(data.figures)) {
  Plotly.newPlot(name, traces, layout, { displaylogo: false });
}
const PAGE = 50;
const [text, mode, rank] = ['text', 'mode', 'rank'].map((name) => document.getElementById('filter-' + name));
for (const name of data.modes) mode.append(new Option(name, name));
const titleOf = (item) => data.titles[item] ?? 'item ' + item;
const words = data.cases.map((one) =>
  [one.user, one.target, ...[one.target, ...one.history, ...one.items].map(titleOf)].join('\\n').toLowerCase(),
);
let page = 0;
const cell = (line, content) => {
  const td = line.insertCell();
  if (Array.isArray(content)) {
    const list = document.createElement('ol');
    for (const one of content) list.append(Object.assign(document.createElement('li'), { textContent: one }));
    td.append(list);
  } else td.textContent = content;
};
const show = () => {
  const wanted = text.value.trim().toLowerCase();
  const left = data.cases.filter(
    (one, i) =>
      words[i].includes(wanted) &&
      (mode.value === '' || one.modes.includes(mode.value)) &&
      (rank.value === '' || (rank.value === 'listed') === one.rank > 0),
  );
  page = Math.max(0, Math.min(page, Math.ceil(left.length / PAGE) - 1));
  const shown = left.slice(page * PAGE, (page + 1) * PAGE);
  document.getElementById('count').textContent = left.length + ' cases, page ' + (page + 1);
  const body = document.getElementById('cases');
  body.replaceChildren();
  for (const one of shown) {
    const line = body.insertRow();
    cell(line, String(one.row + 1));
    cell(line, one.user);
    cell(line, one.history.map(titleOf));
    cell(line, titleOf(one.target));
    cell(line, one.rank === 0 ? 'not listed' : String(one.rank));
    cell(line, one.items.map((item, i) => titleOf(item) + ' (' + one.scores[i].toFixed(2) + ')'));
    cell(line, one.modes.join(', '));
  }
};
for (const filter of [text, mode, rank]) filter.addEventListener('input', () => ((page = 0), show()));
document.getElementById('back').addEventListener('click', () => (page--, show()));
document.getElementById('on').addEventListener('click', () => (page++, show()));
show();
document.body.dataset.ready = 'yes';
`;
