/** Options: every kind, every way of being wrong, flags and JSON Schema. */
import { describe, expect, test } from 'vitest';
import { fingerprint, jsonSchema, withDefault } from '../../lib/options/derive.js';
import { asFlag, kebab, parseFlags } from '../../lib/options/flags.js';
import {
  boolean,
  choice,
  custom,
  group,
  hook,
  integer,
  number,
  numberOrNumbers,
  numbers,
  pair,
  text,
  texts,
  words,
} from '../../lib/options/kinds.js';
import { nearest } from '../../lib/options/nearest.js';
import { defineOptions, parseOptions } from '../../lib/options/schema.js';

const OPTIONS = {
  out: text('folder', { required: true, affectsResult: false }),
  name: text('name'),
  epochs: number('passes', { default: 30, above: 0 }),
  share: number('a share', { default: 1, min: 0, max: 1 }),
  steps: integer('steps', { default: 3, min: 0 }),
  beams: integer('beams'),
  mode: choice(['row', 'chain'], 'mode', { default: 'row' }),
  scale: boolean('scale', { default: true }),
  again: boolean('again'),
  widths: numbers('widths', { default: [4, 2] }),
  sizes: numberOrNumbers('sizes'),
  limits: pair('limits', { of: { min: 0 } }),
  files: texts('files'),
  parts: words(['q', 'k'], 'parts', { alias: (name) => name.toLowerCase() }),
  lora: group<{ rank?: number }>('adapters', { rank: integer('rank', { default: 8 }) }),
  map: custom<object>('map', {
    mismatch: (value) => (typeof value === 'object' ? undefined : 'an object'),
    schema: {},
  }),
  onLog: hook<() => void>('called'),
};
const SCHEMA = defineOptions('stage', OPTIONS, {
  rules: [
    ({ steps, beams = 1 }) => {
      if (steps === beams) throw new Error('steps and beams are equal');
    },
  ],
});

test('defaults are filled in, undefined counts as not given, nothing else is added', () => {
  expect(SCHEMA.parse({ out: 'x', name: undefined })).toEqual({
    ...{ out: 'x', epochs: 30, share: 1, steps: 3, mode: 'row', scale: true, again: false, widths: [4, 2] },
  });
});

describe('what is refused, in one line', () => {
  test.each<[Record<string, unknown>, string]>([
    [{}, 'stage: expected out: folder'],
    [{ out: '' }, 'stage: expected out to be a text, got ""'],
    [{ out: 3 }, 'stage: expected out to be a text, got 3'],
    [{ epochs: 0 }, 'expected epochs to be a number above 0, got 0'],
    [{ epochs: NaN }, 'expected epochs to be a number above 0, got NaN'],
    [{ epochs: Infinity }, 'got Infinity'],
    [{ share: -0.1 }, 'expected share to be a number from 0 to 1, got -0.1'],
    [{ share: 1.1 }, 'from 0 to 1'],
    [{ steps: -1 }, 'expected steps to be a whole number of 0 or more, got -1'],
    [{ steps: 1.5 }, 'a whole number'],
    [{ steps: '3' }, 'a whole number of 0 or more, got "3"'],
    [{ files: [] }, 'expected files to be one or more texts, got []'],
    [{ files: ['a', ''] }, 'expected files to be one or more texts'],
    [{ files: 'a' }, 'expected files to be one or more texts, got "a"'],
    [{ beams: 0 }, 'expected beams to be a whole number of 1 or more, got 0'],
    [{ mode: 'rwo' }, 'expected mode to be one of row, chain, got "rwo"; did you mean row?'],
    [{ scale: 1 }, 'expected scale to be true or false, got 1'],
    [{ widths: [] }, 'expected widths to be whole numbers of 1 or more, got []'],
    [{ widths: [4, 0] }, 'got [4,0]'],
    [{ widths: 4 }, 'whole numbers'],
    [{ sizes: [8, 0.5] }, 'expected sizes to be whole numbers of 1 or more'],
    [{ limits: [1] }, 'expected limits to be 2 whole numbers of 0 or more, got [1]'],
    [{ parts: ['v'] }, 'expected parts to be some of q, k, got ["v"]'],
    [{ lora: 3 }, 'expected lora to be true, false or an object of options'],
    [{ lora: { rank: 0 } }, 'expected lora.rank to be a whole number of 1 or more, got 0'],
    [{ lora: { rnak: 3 } }, 'unknown option lora.rnak; did you mean lora.rank?'],
    [{ map: 'x' }, 'expected map to be an object'],
    [{ onLog: 3 }, 'expected onLog to be a function'],
    [{ epohcs: 3 }, 'unknown option epohcs; did you mean epochs?'],
    [{ zzz: 3 }, 'unknown option zzz; there are out, name'],
    [{ steps: 1, beams: 1 }, 'steps and beams are equal'],
  ])('%j', (given, message) => {
    const full = 'out' in given || message.includes('expected out:') ? given : { out: 'x', ...given };
    expect(() => SCHEMA.parse(full as never)).toThrow(message);
    try {
      SCHEMA.parse(full as never);
    } catch (error) {
      expect((error as Error).message.split('\n')).toHaveLength(1);
    }
  });
});

test('an option of another variant says whose it is', () => {
  const variants = { by: 'method', of: { a: { k: integer('k') }, b: { hidden: integer('hidden') } } };
  const schema = defineOptions('sid', { method: choice(['a', 'b'], 'method', { default: 'a' }) }, { variants });
  expect(schema.parse({ k: 3 } as never)).toEqual({ method: 'a', k: 3 });
  expect(() => parseOptions(schema, { method: 'a', hidden: 3 }, asFlag)).toThrow(
    'sid: --hidden is an option of --method b alone; leave it out',
  );
});

test('flags: camel case, groups, negation, lists, one line for what is wrong', () => {
  expect(kebab('numBeams')).toBe('num-beams');
  const read = (...args: string[]) => parseFlags('stage', args, OPTIONS);
  expect(
    read('--out', 'x', '--epochs=2', '--no-scale', '--lora', '--lora-rank', '4', '--widths', '8,4', 'word'),
  ).toEqual({
    values: { out: 'x', epochs: 2, scale: false, lora: { rank: 4 }, widths: [8, 4] },
    words: ['word'],
  });
  expect(read('--lora')).toEqual({ values: { lora: true }, words: [] });
  expect(read('--sizes', '8', '--limits', '3,5', '--parts', 'Q,k').values).toEqual({
    sizes: 8,
    limits: [3, 5],
    parts: ['q', 'k'],
  });
  expect(() => read('--on-log', 'x')).toThrow('unknown flag --on-log');
  expect(() => read('--epohcs', '2')).toThrow('unknown flag --epohcs; did you mean --epochs?');
  expect(() => read('--epochs')).toThrow('expected a value after --epochs');
  expect(() => read('--epochs', '1', '--epochs', '2')).toThrow('--epochs is given twice');
  expect(() => read('--lora-rank', '4')).toThrow('expected --lora beside --lora-rank');
  for (const words of [
    ['--lora-rank', '4', '--no-lora'],
    ['--no-lora', '--lora-rank', '4'],
    ['--lora=false', '--lora-rank', '4'],
  ]) {
    // prettier-ignore
    expect(() => read(...words)).toThrow('expected --lora beside --lora-rank, got --no-lora');
  }
  expect(read('--no-lora').values).toEqual({ lora: false });
  // a value that was forgotten is not the next flag
  expect(() => read('--out', '--scale')).toThrow('expected a value after --out, got the flag --scale (a value that begins so: --out=--scale)'); // prettier-ignore
  expect(read('--out=--scale').values).toEqual({ out: '--scale' });
  expect(read('--out', '-0.5').values).toEqual({ out: '-0.5' });
});

test('a fingerprint leaves out what does not affect the result', () => {
  expect(fingerprint(OPTIONS, { out: 'x', epochs: 3, onLog: () => {} })).toEqual({ epochs: 3 });
});

test('an option that came later is part of it where it is not at its default: older runs resume', () => {
  const options = { dtype: choice(['float32', 'bfloat16'], 'dtype', { default: 'float32', cameLater: true }) };
  expect(fingerprint(options, { dtype: 'float32' })).toEqual({});
  expect(fingerprint(options, { dtype: 'bfloat16' })).toEqual({ dtype: 'bfloat16' });
});

test('JSON Schema: types, bounds, defaults, required; no functions', () => {
  const schema = jsonSchema(OPTIONS) as { properties: Record<string, unknown>; required: string[] };
  expect(schema.required).toEqual(['out']);
  expect(schema.properties.epochs).toEqual({ type: 'number', exclusiveMinimum: 0, description: 'passes', default: 30 });
  expect(schema.properties.mode).toMatchObject({ enum: ['row', 'chain'] });
  expect(schema.properties).not.toHaveProperty('onLog');
});

test('the same option with another default', () => {
  expect(defineOptions('s', { epochs: withDefault(OPTIONS.epochs, 2) }).parse({})).toEqual({ epochs: 2 });
});

test.each([
  ['bathc-size', 'batch-size'],
  ['rank', 'ranking'],
  ['lerning-rate', 'learning-rate'],
  ['xyz', undefined],
])('nearest to %s is %s', (word, expected) => {
  expect(nearest(word, ['batch-size', 'learning-rate', 'ranking', 'beta'])).toBe(expected);
});
