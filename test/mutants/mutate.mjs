/**
 * The single-point mutants of a source file.
 *
 * Never changed: imports and exports of modules, types, `throw` statements, errors that are made elsewhere, template
 * strings (nearly all are messages), the digits of printed numbers, and comments, which are no nodes.
 */
import { createHash } from 'node:crypto';
import ts from 'typescript';
import { OPERATORS } from './operators.mjs';

/**
 * @typedef {object} Mutant
 * @property {string} file path in the project, with `/`
 * @property {string} operator name in `OPERATORS`
 * @property {number} start where the change begins in the source
 * @property {number} end where the text that is replaced ends
 * @property {string} to the text in its place
 * @property {number} line counted from 1
 * @property {string} before the changed lines, without indentation
 * @property {string} after what they become
 * @property {string} id hash of file, operator, line and change, and not of the line's number: an edit elsewhere in the
 *   file keeps it
 */

/** Methods whose arguments say how something is printed. */
const PRINTING = new Set(['toFixed', 'toPrecision', 'padStart', 'padEnd']);

/**
 * All mutants of a file, in the order of the source; changes that would not parse are left out.
 * @param {string} file path in the project
 * @param {string} source its text
 * @returns {Mutant[]}
 */
export function listMutants(file, source) {
  const tree = parse(file, source);
  /** @type {Mutant[]} */
  const mutants = [];
  const seen = new Map();
  /** @param {ts.Node} node */
  const visit = (node) => {
    if (isSkipped(node)) return;
    for (const [operator, edits] of Object.entries(OPERATORS)) {
      for (const edit of edits(node, (part) => part.getText(tree))) {
        const mutant = describe(file, source, operator, edit);
        const count = seen.get(mutant.id) ?? 0;
        seen.set(mutant.id, count + 1);
        mutants.push(count === 0 ? mutant : { ...mutant, id: hash(mutant.id, count) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return mutants.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** The source with one change made. @param {string} source @param {{ start: number, end: number, to: string }} edit */
export function apply(source, { start, end, to }) {
  return source.slice(0, start) + to + source.slice(end);
}

/**
 * The mutant of an exact textual change.
 * @throws {Error} if `find` does not stand in the source exactly once
 * @param {string} file @param {string} source
 * @param {{ what: string, find: string, replace: string }} change `what` would be wrong; takes the operator's place
 * @returns {Mutant}
 */
export function textMutant(file, source, { what, find, replace }) {
  const start = source.indexOf(find);
  if (start < 0) throw new Error(`${file}: expected to find ${JSON.stringify(find)}, got no such text`);
  if (source.indexOf(find, start + 1) >= 0) throw new Error(`${file}: ${JSON.stringify(find)} stands there twice`);
  return describe(file, source, what, { start, end: start + find.length, to: replace });
}

/**
 * A sample in which every operator has its turn: numbers are half of all mutants, and signs and orders are what matters.
 * The seed decides the order within an operator; a mutant's place in it depends on its own id alone, so that a sample
 * changes little when the code does.
 * @template {{ id: string, operator: string }} T
 * @param {readonly T[]} mutants @param {number} size of the sample, fewer where there are fewer @param {number | string} seed
 * @returns {T[]}
 */
export function drawByOperator(mutants, size, seed) {
  const keyed = mutants.map((mutant) => ({ mutant, key: hash(seed, mutant.id) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const turns = new Map();
  const turned = keyed.map(({ mutant, key }) => {
    const turn = turns.get(mutant.operator) ?? 0;
    turns.set(mutant.operator, turn + 1);
    return { mutant, key, turn };
  });
  turned.sort((a, b) => a.turn - b.turn || (a.key < b.key ? -1 : 1));
  return turned.slice(0, size).map(({ mutant }) => mutant);
}

/** A short hash of some values. @param {unknown[]} values */
export function hash(...values) {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 16);
}

function parse(file, source) {
  return ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
}

/** @returns {Mutant} */
function describe(file, source, operator, edit) {
  const from = source.lastIndexOf('\n', edit.start - 1) + 1;
  const newline = source.indexOf('\n', edit.end);
  const to = newline < 0 ? source.length : newline;
  const before = oneLine(source.slice(from, to));
  const after = oneLine(source.slice(from, edit.start) + edit.to + source.slice(edit.end, to));
  const line = source.slice(0, edit.start).split('\n').length;
  return { file, operator, ...edit, line, before, after, id: hash(file, operator, before, after) };
}

function oneLine(text) {
  return text.trim().replace(/\s+/g, ' ');
}

/** @param {ts.Node} node */
function isSkipped(node) {
  return (
    ts.isImportDeclaration(node) ||
    ts.isExportDeclaration(node) ||
    ts.isTypeNode(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isThrowStatement(node) ||
    ts.isTemplateExpression(node) ||
    (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) ||
    isPrinting(node)
  );
}

/** `x.toFixed(3)` and its like, and `JSON.stringify`. */
function isPrinting(node) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { expression, name } = node.expression;
  return PRINTING.has(name.text) || (name.text === 'stringify' && expression.getText() === 'JSON');
}
