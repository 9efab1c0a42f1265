/** Where a table's files go: never over the table that was given. */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeJson } from '../../lib/files/files.js';
import { tableStage } from '../../lib/tables/table-stage.js';
import { TABLE, toyFolder } from './toys.js';

/** Without values there is no figure to draw, which takes a second. */
const BARE = { ...TABLE, rows: TABLE.rows.map((row) => ({ ...row, published: {} })) };

test("a table's own file is not written over, by whatever path", async () => {
  const data = toyFolder();
  const own = join(data, 'tables', 'own.json');
  writeJson(own, BARE);
  const before = readFileSync(own);
  const refused = /own\.json: expected files in another folder than the table's own, got .*own\.json; give --out/;
  await expect(tableStage({ table: own, data: [data], run: true })).rejects.toThrow(refused);
  symlinkSync(join(data, 'tables'), join(data, 'link'));
  await expect(tableStage({ table: own, data: [data], out: join(data, 'link') })).rejects.toThrow(refused);
  expect(readFileSync(own)).toEqual(before);
  for (const path of ['runs', 'tables/own.md']) expect(existsSync(join(data, path))).toBe(false);
  const { files } = await tableStage({ table: own, data: [data], out: join(data, 'filled') });
  expect(files).toContain(join(data, 'filled', 'own.json'));
  await tableStage({ table: own, data: [data], out: join(data, 'filled') }); // the files of before are its own
});

test('two folders of one data set are refused', async () => {
  const [data, other] = [toyFolder(), toyFolder()];
  const table = join(data, 'toys.json');
  writeJson(table, BARE);
  await expect(tableStage({ table, data: [data, other], run: true })).rejects.toThrow(
    `${other}: expected one folder a data set, got Toys in ${data} too; leave one out`,
  );
  expect(existsSync(join(data, 'tables'))).toBe(false);
  expect(existsSync(join(data, 'runs'))).toBe(false);
});
