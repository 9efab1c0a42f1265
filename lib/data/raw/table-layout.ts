/** How a delimited file is laid out: its delimiter, whether it has a header, and which column is what. */
import { type ColumnMap, hasPlaces, isHeader, placesOf, type Role } from './columns.js';
import { cellsOf, detectDelimiter, RecordScanner } from './records.js';

/** The layout of a delimited file. */
export interface TableLayout {
  /** One character. */
  delimiter: string;
  /** Places of each role's columns, from 0; empty for a role without one. */
  places: Record<Role, readonly number[]>;
  /** Whether the first record holds names. */
  header: boolean;
}

/** What a reader wants of a delimited file. */
export interface TableNeeds {
  /** RecBole's header has types (`item_id:token`). */
  format: 'recbole' | 'csv';
  columns: ColumnMap;
  /** Roles to look up. */
  roles: readonly Role[];
  /** Roles without which the file is of no use. */
  needed: readonly Role[];
  /** The map was made for another file too: its places do not count where this file has a header. Default false. */
  shared?: boolean;
}

/**
 * The first record is a header unless the columns are given by place; a line that has the usual names is one even then.
 * @param head the file's first characters
 * @throws InputError if a mapped or a needed column is missing
 */
export function tableLayout(
  head: string,
  path: string,
  { format, columns, roles, needed, shared = false }: TableNeeds,
): TableLayout {
  const delimiter = detectDelimiter(head.split('\n', 1)[0]!) || ',';
  const cells = firstRecord(head, delimiter, path);
  const names = format === 'recbole' ? cells.map((name) => name.split(':')[0]!) : cells;
  const known = isHeader(names, needed);
  const named = Object.entries(columns).filter(([, column]) => typeof column === 'string');
  const map = shared && known ? (Object.fromEntries(named) as ColumnMap) : columns;
  return {
    delimiter,
    places: placesOf(names, map, roles, needed, `${path}:1`),
    header: format === 'recbole' || known || !hasPlaces(columns),
  };
}

function firstRecord(head: string, delimiter: string, path: string): string[] {
  let first: string[] | undefined;
  const scanner = new RecordScanner(path, delimiter, (bytes, starts, count) => {
    first ??= cellsOf(bytes, starts, count);
  });
  const end = head.lastIndexOf('\n');
  scanner.scan(Buffer.from(end < 0 ? `${head}\n` : head.slice(0, end + 1)));
  return first ?? [];
}
