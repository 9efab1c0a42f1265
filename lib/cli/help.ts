/** `--help`: of a command its own flags, with their meaning and default there. */
import { asFlag, flagsOf, kebab } from '../options/flags.js';
import type { Option, Options } from '../options/option.js';
import type { AnySchema } from '../options/schema.js';
import type { Command } from './command.js';
import { largest } from '../support/extremes.js';

/** The commands, a line each. */
export function helpAll(commands: Readonly<Record<string, Command>>): string {
  const width = largest(Object.keys(commands).map((name) => name.length));
  return [
    'usage: sidlab COMMAND [FLAGS]',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'sidlab COMMAND --help lists its flags; every command takes --json: one JSON object on standard output.',
  ].join('\n');
}

/**
 * One command: its flags, and under a heading those of a variant, such as one SID method.
 * @param args the words of the line; where one of them is a variant, only its flags are shown, with their defaults there
 */
export function helpOne(name: string, { summary, schema, extra = {}, word }: Command, args: readonly string[]): string {
  const chosen = word === schema.variants?.by ? args.find((arg) => schema.variants?.of[arg]) : undefined;
  const common = Object.fromEntries(Object.entries(schema.options).filter(([option]) => option !== word));
  const variants = chosen === undefined ? variantSections(schema) : [ownSection(schema.variants!.of[chosen]!, chosen)];
  const sections = [{ heading: '', lines: lines({ ...common, ...extra }) }, ...variants];
  const width = largest(
    sections.flatMap((section) => section.lines.map(([flag]) => flag.length)),
    6,
  );
  const words = word ? ` ${word.toUpperCase()}` : '';
  return [
    `sidlab ${name}${words}: ${summary}`,
    ...(word
      ? ['', `  ${word.toUpperCase().padEnd(width)}  ${wrapped(described(schema.options[word]!), width + 4)}`]
      : []),
    ...sections.flatMap((section) => [
      section.heading === '' ? '' : `\n${section.heading}`,
      ...section.lines.map(([flag, said]) => `  ${flag.padEnd(width)}  ${wrapped(said, width + 4)}`),
    ]),
    '',
    `  ${'--json'.padEnd(width)}  one JSON object on standard output`,
    `  ${'--help'.padEnd(width)}  this text`,
  ].join('\n');
}

/** Lines of at most 110 characters, the later ones below the first. */
function wrapped(said: string, indent: number): string {
  const lines = [''];
  for (const word of said.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && indent + line.length + 1 + word.length > 110) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

type Line = readonly [flag: string, said: string];

function lines(options: Options): Line[] {
  return [...flagsOf(options)].map(([flag, { option }]) => {
    const negatable = option.boolean && option.default === true ? `--no-${flag}` : `--${flag}`;
    return [negatable, described(option)] as const;
  });
}

/** The options of one variant, functions left out. */
function ownSection(own: Options, name: string): { heading: string; lines: Line[] } {
  const flags = lines(own);
  return { heading: flags.length > 0 ? `of ${name}:` : '', lines: flags };
}

/** An option that all variants share comes first, then what each has of its own. */
function variantSections({ variants }: AnySchema): { heading: string; lines: Line[] }[] {
  if (!variants) return [];
  const groups = new Map<string, Line[]>();
  const names = Object.keys(variants.of);
  const all = new Set(names.flatMap((name) => Object.keys(variants.of[name]!)));
  for (const option of all) {
    const owners = names.filter((name) => Object.hasOwn(variants.of[name]!, option));
    const own = owners.map((name) => variants.of[name]![option]!);
    if (!own[0]!.data) continue;
    const heading = `with ${asFlag(variants.by)} ${owners.join(', ')}:`;
    const said = new Set(own.map(described)).size === 1 ? described(own[0]!) : describedEach(owners, own);
    const flag = own[0]!.boolean && own[0]!.default === true ? `--no-${kebab(option)}` : asFlag(option);
    groups.set(heading, [...(groups.get(heading) ?? []), [flag, said]]);
  }
  return [...groups].map(([heading, of]) => ({ heading, lines: of }));
}

function described(option: Option): string {
  const words = option.words ? ` [${option.words.join(' | ')}]` : '';
  return `${option.help}${words}${defaultText(option)}`;
}

function describedEach(owners: readonly string[], own: readonly Option[]): string {
  const each = own.map((option, i) => `${owners[i]}: ${shown(option)}`).join(', ');
  return `${own[0]!.help}${own[0]!.words ? ` [${own[0]!.words.join(' | ')}]` : ''} (default ${each})`;
}

function defaultText(option: Option): string {
  if (option.presence === 'required') return ' (required)';
  const value = shown(option);
  return value === '' ? '' : ` (default ${value})`;
}

function shown({ default: value, otherwise, boolean }: Option): string {
  if (otherwise !== undefined) return otherwise;
  if (value === undefined || (boolean && value === false)) return '';
  return Array.isArray(value) ? value.join(',') : String(value);
}
