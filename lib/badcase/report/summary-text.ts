/** `summary_report.txt`: what a report of bad cases says, on a page. */
import { tableText } from '../../figures/show-table.js';
import { plainText, truncated } from '../../figures/text.js';
import type { BadCaseFile } from '../report-shape.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** @param results the file that was analysed */
export function summaryText(report: BadCaseFile, results: string): string {
  const { rows, failed, failureRate, topK, named, notRun, verdicts } = report;
  return [
    `Bad cases of ${plainText(results)}`,
    '',
    `${failed} of ${rows} rows fail: their true item is not among the first ${topK} (${percent(failureRate)}).`,
    `Named causes: ${named.join(', ') || 'none'}.`,
    '',
    'WHAT TO DO',
    ...(verdicts.length === 0 ? ['Nothing stands out.'] : verdicts.flatMap(verdictLines)),
    '',
    'CAUSES: rows that fail have it `lift` times as often as others; odds are with the other causes held fixed',
    modeTable(report, 'cause'),
    '',
    'SYMPTOMS: how rows fail',
    modeTable(report, 'symptom'),
    '',
    'RANKS OF THE TRUE ITEMS',
    tableText(Object.entries(report.ranks).map(([ranks, count]) => ({ ranks, rows: count }))),
    ...sidLines(report),
    ...caseLines(report),
    ...(Object.keys(notRun).length > 0
      ? ['', 'NOT RUN', ...Object.entries(notRun).map(([name, reason]) => `- ${name}: ${reason}`)]
      : []),
    '',
  ].join('\n');
}

function verdictLines({ finding, words, advice, strategies }: BadCaseFile['verdicts'][number]): string[] {
  const answer = strategies.length > 0 ? ` [strategies: ${strategies.join(', ')}]` : '';
  return [`- ${finding}: ${words}`, `  ${advice}${answer}`];
}

function modeTable({ modes }: BadCaseFile, wanted: 'cause' | 'symptom'): string {
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? '' : value.toPrecision(3);
  const found = Object.entries(modes).filter(([, { kind, rows }]) => kind === wanted && rows > 0);
  if (found.length === 0) return 'none';
  return tableText(
    found
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([mode, { count, share, failedShare, lift, low, high, pHolm, heldFixed, named }]) => ({
        ...{
          mode: named ? `${mode} *` : mode,
          failed: count,
          share: percent(share),
          'of its rows': percent(failedShare),
        },
        ...(wanted === 'cause' && {
          lift: number(lift),
          interval: lift === null ? '' : `${number(low)} to ${number(high)}`,
          p: number(pHolm),
          odds: number(heldFixed?.odds),
          explained: heldFixed ? percent(heldFixed.explained) : '',
        }),
      })),
  );
}

function sidLines({ sidQuality: sid }: BadCaseFile): string[] {
  if (sid === null) return [];
  const shared = `${sid.collisions} collisions (${percent(sid.collisionRate)}); ${percent(sid.ambiguousTraffic)} of the rows ask for an item with a shared SID`;
  return ['', 'SEMANTIC IDS', `${sid.items} items, ${sid.sids} SIDs; ${shared}.`, tableText(sid.levels, { digits: 2 })];
}

/** A few failed rows in words: of each named cause one, else the first. */
function caseLines({ cases, named, titles }: BadCaseFile): string[] {
  const chosen = new Set(named.flatMap((name) => cases.find(({ modes }) => modes.includes(name)) ?? []));
  for (const one of cases) if (chosen.size < 3) chosen.add(one);
  if (chosen.size === 0) return [];
  const title = (item: number): string => truncated(plainText(titles[item] ?? `item ${item}`), 60);
  const lines = [...chosen].flatMap(({ row, user, history, target, items, rank, modes }) => [
    `- row ${row + 1}, user ${plainText(user)} [${modes.join(', ') || 'no mode'}]`,
    `  bought:  ${history.slice(-3).map(title).join(' | ')}`,
    `  wanted:  ${title(target)} (${rank === 0 ? 'not listed' : `rank ${rank}`})`,
    `  offered: ${items.slice(0, 3).map(title).join(' | ')}`,
  ]);
  return ['', 'CASES', ...lines];
}
