/**
 * Every option of every command, given wrongly: of another kind, out of range, unknown, of another command or another
 * method. Each is one line, before anything is loaded or written. The commands' own checks run here in one process;
 * `cli.test.ts` starts the built command.
 */
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { COMMANDS } from '../../lib/cli/commands.js';
import { readCommandLine } from '../../lib/cli/read-command-line.js';
import { flagsOf, kebab } from '../../lib/options/flags.js';
import type { Option } from '../../lib/options/option.js';
import { allOptions, optionsFor } from '../../lib/options/schema.js';
import { InputError } from '../../lib/support/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-options-'));

/** Flags of the required options, with values that pass the check of the command line. */
function required(options: Record<string, Option>, ...but: readonly (string | undefined)[]): string[] {
  return [...flagsOf(options)].flatMap(([flag, { option, path }]) =>
    option.presence === 'required' && !but.includes(flag) && path.length === 1
      ? [`--${flag}`, option.words?.[0] ?? join(folder, 'x')]
      : [],
  );
}

/** Texts that no value of the option may be. */
function wrongTexts(option: Option): string[] {
  const candidates = ['', 'nonsense', '-1', '0', '1.5', '1e99', 'NaN', ',', '1,2,3', 'true', '-0.5', '2'];
  return candidates.filter((text) => option.mismatch(option.fromText(text)) !== undefined);
}

function complaint(name: string, args: string[]): string {
  try {
    readCommandLine(name, COMMANDS[name]!, args);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${name} ${args.join(' ')}`);
}

describe.each(Object.keys(COMMANDS))('%s', (name) => {
  const command = COMMANDS[name]!;
  const { schema, extra = {}, word } = command;
  const options = { ...allOptions(schema), ...extra };
  const some = word && schema.options[word]!.schema.type === 'array' ? ['x', 'y'] : ['x'];
  const words = word ? [schema.options[word]!.words?.[0] ?? some].flat() : [];

  test.each(
    [...flagsOf(options)]
      .filter(([, { path }]) => path[0] !== word)
      .map(([flag, { option, path }]) => [flag, option, path] as const),
  )('--%s', (flag, option, path) => {
    const chooser = schema.variants?.by;
    const owner = Object.entries(schema.variants?.of ?? {}).find(([, own]) => Object.hasOwn(own, path[0]!))?.[0];
    const chosen = chooser !== undefined && owner !== undefined && flag !== chooser;
    const variant = chosen && chooser !== word ? [`--${chooser}`, owner] : [];
    const before = [
      ...(chosen && chooser === word ? [owner] : words),
      ...required(schema.options, flag, word),
      ...variant,
      ...(path.length > 1 ? [`--${kebab(path[0]!)}`] : []),
    ];
    for (const text of wrongTexts(option)) {
      const given = option.boolean ? [`--${flag}=${text}`] : [`--${flag}=${text}`];
      const message = complaint(name, [...before, ...given]);
      expect(message.split('\n')).toHaveLength(1);
      expect(message).toMatch(new RegExp(`--${flag.split('-')[0]}`));
    }
    if (!option.boolean) expect(complaint(name, [...before, `--${flag}`])).toContain(`--${flag}`);
    expect(complaint(name, [...before, `--${flag}x`, '1'])).toMatch(/unknown flag|several stages/);
  });

  test('a flag of another command is unknown here, and says whose it is', () => {
    const others = Object.entries(COMMANDS).flatMap(([, { schema }]) => [...flagsOf(allOptions(schema)).keys()]);
    const foreign = others.find((flag) => !flagsOf(options).has(flag))!;
    expect(complaint(name, [`--${foreign}`, '1'])).toContain(`--${foreign}`);
  });

  test('an option of another variant is refused', () => {
    const { variants } = schema;
    if (!variants) return;
    for (const chosen of Object.keys(variants.of)) {
      const here = optionsFor(schema, { [variants.by]: chosen });
      for (const [flag, { option, path }] of flagsOf(allOptions(schema))) {
        if (Object.hasOwn(here, path[0]!) || path.length > 1) continue;
        const value = option.boolean ? [] : [String(option.words?.[0] ?? 1)];
        const choice = variants.by === word ? [chosen] : [`--${variants.by}`, chosen];
        const args = [...required(schema.options, variants.by), ...choice, `--${flag}`, ...value];
        const said = variants.by === word ? word.toUpperCase() : `--${variants.by}`;
        expect(complaint(name, args)).toContain(`is an option of ${said}`);
      }
    }
  });
});

test('nothing was written, and no stage has run', () => {
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(join(folder, 'x'))).toBe(false);
  vi.restoreAllMocks();
});
