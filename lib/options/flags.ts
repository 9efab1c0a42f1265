/** Options as flags: names in kebab case, values as text. */
import { parseArgs } from 'node:util';
import { InputError } from '../support/errors.js';
import { nearest } from './nearest.js';
import type { Option, Options } from './option.js';

/** `numBeams` -> `num-beams`; inside a group `lora.rank` -> `lora-rank` */
export function kebab(name: string): string {
  return name.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How a command line knows an option: `--num-beams`. */
export const asFlag = (name: string): string => `--${kebab(name)}`;

/** Flag -> the option's path (`['lora', 'rank']`) and the option. Functions have no flag. */
export function flagsOf(
  options: Options,
  path: readonly string[] = [],
): Map<string, { path: string[]; option: Option }> {
  const entries = Object.entries(options).filter(([, { data }]) => data);
  return new Map(
    entries.flatMap(([name, option]) => {
      const own = [...path, name];
      const inner = option.group ? [...flagsOf(option.group, own)] : [];
      return [[kebab(own.join('.')), { path: own, option }] as const, ...inner];
    }),
  );
}

/** What an unknown flag may have meant. */
export interface FlagHints {
  /** Commands that have the flag. */
  owners?: (flag: string) => readonly string[];
  /** Longer flags that say more exactly what is meant. */
  moreExact?: (flag: string) => readonly string[];
}

/** What a command line holds: options by their names, and the words that belong to none. */
export interface CommandLine {
  /** Options by name. */
  values: Record<string, unknown>;
  /** Words that are no flags, in order. */
  words: string[];
}

/**
 * @param hints for the error's text of a flag that is unknown here
 * @throws InputError for a flag that is unknown or lacks its value, or is given twice
 */
export function parseFlags(
  command: string,
  args: readonly string[],
  options: Options,
  hints: FlagHints = {},
): CommandLine {
  const flags = flagsOf(options);
  const config = Object.fromEntries(
    [...flags].map(([flag, { option }]) => [
      flag,
      { type: option.boolean ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const line: CommandLine = { values: {}, words: [] };
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') line.words.push(token.value);
    if (token.kind !== 'option') continue;
    const negated = token.name.startsWith('no-') && flags.get(token.name.slice(3))?.option.boolean;
    const name = negated ? token.name.slice(3) : token.name;
    const found = flags.get(name);
    if (!found) throw unknownFlag(command, token.rawName, name, [...flags.keys()], hints);
    if (seen.has(name)) throw new InputError(`${command}: --${name} is given twice; leave one out`);
    seen.add(name);
    if (!token.inlineValue && token.value?.startsWith('--')) throw noValue(command, name, found.option, token.value);
    put(line.values, found.path, valueOf(command, name, found.option, negated ? 'false' : token.value));
  }
  checkGroups(command, options, flags, line.values, seen);
  return line;
}

/** A part of a group without the group, or with the group left out, is a slip: nobody should train adapters unasked. */
function checkGroups(
  command: string,
  options: Options,
  flags: ReturnType<typeof flagsOf>,
  values: Readonly<Record<string, unknown>>,
  seen: ReadonlySet<string>,
): void {
  for (const [name, { group }] of Object.entries(options)) {
    if (!group) continue;
    const part = [...seen].find((flag) => flags.get(flag)!.path.length > 1 && flags.get(flag)!.path[0] === name);
    if (part === undefined || (seen.has(kebab(name)) && values[name] !== false)) continue;
    const got = values[name] === false ? `, got --no-${kebab(name)}` : '';
    throw new InputError(`${command}: expected ${asFlag(name)} beside --${part}${got}`);
  }
}

function valueOf(command: string, flag: string, option: Option, given: string | undefined): unknown {
  if (option.boolean) return option.fromText(given ?? 'true');
  if (given !== undefined) return option.fromText(given);
  throw noValue(command, flag, option);
}

/** @param next the flag that stands where the value should */
function noValue(command: string, flag: string, { help }: Option, next?: string): InputError {
  const got = next === undefined ? '' : `, got the flag ${next} (a value that begins so: --${flag}=${next})`;
  return new InputError(`${command}: expected a value after --${flag}${got}: ${help}`);
}

/** Sets `values.lora.rank`; a group that is only switched on (`--lora`) is `true` until then. */
function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    if (value === true && typeof values[first] === 'object') return;
    values[first] = value;
    return;
  }
  if (values[first] === false) return; // is refused when all are read
  if (typeof values[first] !== 'object') values[first] = {};
  put(values[first] as Record<string, unknown>, rest, value);
}

function unknownFlag(
  command: string,
  raw: string,
  flag: string,
  known: readonly string[],
  { owners = () => [], moreExact = () => [] }: FlagHints,
): InputError {
  const exact = moreExact(flag).map((name) => `--${name}`);
  if (exact.length > 0) {
    return new InputError(`${command}: several stages have ${raw}; say which: ${exact.join(', ')}`);
  }
  const close = nearest(flag, known);
  const help = `sidlab ${command} --help lists its flags`;
  if (close !== undefined) return new InputError(`${command}: unknown flag ${raw}; did you mean --${close}? ${help}`);
  const whose = owners(flag).slice(0, 4).join(', ');
  const belongs = whose === '' ? '' : `it belongs to ${whose}; `;
  return new InputError(`${command}: unknown flag ${raw}; ${belongs}${help}`);
}
