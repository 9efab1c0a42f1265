/** A result for people. */
import type { Interval } from '../evaluate/statistics/bootstrap.js';
import { intervalText } from '../support/interval-text.js';

/** The fields of an object, one a line; nested ones indented. */
export function record(value: unknown, indent = ''): string {
  return Object.entries(value as object)
    .map(([key, field]) => {
      const nested = typeof field === 'object' && field !== null && !Array.isArray(field);
      return nested ? `${indent}${key}:\n${record(field, indent + '  ')}` : `${indent}${key}: ${plain(field)}`;
    })
    .join('\n');
}

/** What a report of metrics has. */
interface MetricReport {
  item: Record<string, number>;
  sid?: Record<string, number>;
  /** Of both, or of `item` alone. */
  intervals: Record<string, Interval> | BothIntervals;
  /** Of each data set, where several were joined. */
  parts?: Record<string, { rows: number; item: Record<string, number> }>;
}

interface BothIntervals {
  item: Record<string, Interval>;
  sid?: Record<string, Interval>;
}

/** A report with the interval of each metric beside it: `HR@10: .131 [.118, .145]`. */
export function metricRecord({ intervals, parts, ...report }: MetricReport): string {
  const of = 'item' in intervals ? (intervals as BothIntervals) : undefined;
  const beside = (metrics: Record<string, number>, ends: Record<string, Interval>) =>
    Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, ends[name] ? intervalText(value, ends[name]) : value]),
    );
  const { item, sid } = report;
  return record({
    ...report,
    item: beside(item, of?.item ?? (intervals as Record<string, Interval>)),
    ...(sid && of?.sid && { sid: beside(sid, of.sid) }),
    ...(parts && { parts: mapValues(parts, ({ rows, item: own }) => ({ rows, ...own })) }),
    note: 'in brackets: 95 % bootstrap interval over users',
  });
}

function mapValues<T, R>(of: Readonly<Record<string, T>>, value: (one: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, value(one)]));
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(plain).join(', ');
  if (typeof value === 'object' && value !== null) return inline(value);
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  return String(value);
}

/** An object within a list, on the line of the list: `(name far, flag --index FILE)`. */
function inline(value: object): string {
  const fields = Object.entries(value).map(([key, field]) => `${key} ${plain(field)}`);
  return `(${fields.join(', ')})`;
}
