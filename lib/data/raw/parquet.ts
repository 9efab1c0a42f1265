/**
 * Parquet through DuckDB (`@duckdb/node-api`), out of core and chunk by chunk. The package is loaded when the first
 * Parquet file is read, and not before: its library is 70 MB.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { existsSync } from 'node:fs';
import { InputError } from '../../support/errors.js';
import { type ColumnMap, placesOf, type Role, ROLES } from './columns.js';
import { timeOf } from './delimited.js';
import { type Interactions, InteractionsBuilder } from './interactions.js';

/** Columns that are not mapped go by their usual names; without a time the order of the file is the order. */
export async function readParquetInteractions(path: string, columns: ColumnMap): Promise<Interactions> {
  const builder = new InteractionsBuilder();
  const needed = ['user', 'item'] as const;
  for await (const rows of readParquet(path, columns, ['user', 'item', 'time', 'stars'], needed)) {
    const { user, item, time, stars } = rows;
    builder.timed = time !== undefined;
    for (let i = 0; i < user!.length; i++) {
      const row = builder.length + 1;
      const at = time === undefined ? row : timeOf(time[i] ?? '');
      if (at === undefined) throw wrong(path, row, 'time in seconds, milliseconds or as a date', time![i]);
      const names = [user![i], item![i]];
      for (const [n, name] of names.entries()) {
        if (!name || !/^\S+$/.test(name)) throw wrong(path, row, `${needed[n]!} to be text without spaces`, name);
      }
      const numbers = [builder.userNames.id(names[0]!), builder.itemNames.id(names[1]!)] as const;
      builder.add(...numbers, at, Number(stars?.[i] ?? 0) || 0);
    }
  }
  return builder.done();
}

/**
 * Columns as texts, chunk by chunk; lists are joined by ', ', time stamps are seconds.
 * @throws InputError for a file that is missing or no Parquet, or a column that is missing
 */
export async function* readParquet(
  path: string,
  columns: ColumnMap,
  roles: readonly Role[],
  needed: readonly Role[],
): AsyncGenerator<Partial<Record<Role, (string | null)[]>>> {
  if (!existsSync(path)) throw new InputError(`${path}: no such file; check the path`);
  const connection = await connect();
  try {
    const file = `read_parquet('${path.replaceAll("'", "''")}')`;
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`);
    const [names, types] = [0, 1].map((at) => described.getRows().map((row) => String(row[at]))) as [
      string[],
      string[],
    ];
    const places = placesOf(names, columns, roles, needed, path);
    const wanted = ROLES.filter((role) => places[role] >= 0);
    const list = wanted.map((role) => asText(names[places[role]]!, types[places[role]]!));
    const result = await connection.stream(`SELECT ${list.join(', ')} FROM ${file}`);
    for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      const texts = wanted.map((role, i) => [role, chunk!.getColumnValues(i)]);
      yield Object.fromEntries(texts) as Partial<Record<Role, (string | null)[]>>;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read as Parquet (${(error as Error).message.split('\n')[0]})`);
  } finally {
    connection.closeSync();
  }
}

async function connect(): Promise<DuckDBConnection> {
  const duckdb = await import('@duckdb/node-api').catch(() => {
    throw new InputError('filter: Parquet needs the package @duckdb/node-api; npm install @duckdb/node-api');
  });
  const instance = await duckdb.DuckDBInstance.create(':memory:');
  return instance.connect();
}

function asText(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  if (type.endsWith('[]')) return `array_to_string(${column}, ', ')`;
  if (type.startsWith('TIMESTAMP') || type === 'DATE') return `CAST(epoch(${column}) AS VARCHAR)`;
  return `CAST(${column} AS VARCHAR)`;
}

function wrong(path: string, row: number, expected: string, got: unknown): InputError {
  return new InputError(
    `${path}: row ${row}: expected ${expected}, got ${JSON.stringify(got)}; mend or remove the row`,
  );
}
