/**
 * Mutation operators: each looks at one node of TypeScript's syntax tree and says what single change it would make
 * there. They model the slips of numerical code: a sign, an order, a bound, a default, a dropped factor.
 *
 * An operator is `(node, text) => Edit[]`. `text(node)` is the node's source; an edit replaces the source from `start`
 * to `end` with `to`. Every edit must leave a file that parses.
 */
import ts from 'typescript';

/**
 * @typedef {{ start: number, end: number, to: string }} Edit
 * @typedef {(node: ts.Node) => string} Text
 */

const K = ts.SyntaxKind;

/** Binary operators and what they become. */
const ARITHMETIC = new Map([
  [K.PlusToken, '-'],
  [K.MinusToken, '+'],
  [K.AsteriskToken, '/'],
  [K.SlashToken, '*'],
  [K.PlusEqualsToken, '-='],
  [K.MinusEqualsToken, '+='],
  [K.AsteriskEqualsToken, '/='],
  [K.SlashEqualsToken, '*='],
]);
const BOUNDS = new Map([
  [K.LessThanToken, '<='],
  [K.LessThanEqualsToken, '<'],
  [K.GreaterThanToken, '>='],
  [K.GreaterThanEqualsToken, '>'],
]);
const EQUALITY = new Map([
  [K.EqualsEqualsEqualsToken, '!=='],
  [K.ExclamationEqualsEqualsToken, '==='],
]);
const LOGIC = new Map([
  [K.AmpersandAmpersandToken, '||'],
  [K.BarBarToken, '&&'],
]);

/** Functions that are taken for one another, by the library they are of. */
const CONFUSED = {
  Math: new Map(Object.entries({ min: 'max', max: 'min' })),
  tf: new Map(
    Object.entries({
      ...{ add: 'sub', sub: 'add', mul: 'div', div: 'mul' },
      ...{ minimum: 'maximum', maximum: 'minimum', min: 'max', max: 'min', argMin: 'argMax', argMax: 'argMin' },
      ...{ less: 'lessEqual', lessEqual: 'less', greater: 'greaterEqual', greaterEqual: 'greater' },
    }),
  ),
};
/** Methods that only tensors have. */
const CONFUSED_METHODS = new Map(Object.entries({ sub: 'add', mul: 'div', div: 'mul' }));

/** Functions whose first two arguments are of one type, and whose order matters. */
const ORDERED = new Set([
  'sub',
  'div',
  'matMul',
  'pow',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
  'atan2',
  'dot',
]);

/** @type {Record<string, (node: ts.Node, text: Text) => Edit[]>} */
export const OPERATORS = {
  arithmetic: (node) => flipBinary(node, ARITHMETIC),
  bound: (node) => flipBinary(node, BOUNDS),
  equality: (node) => flipBinary(node, EQUALITY),
  logic: (node) => flipBinary(node, LOGIC),

  /** `a * b` and `a / b` become `a`; so do `tf.mul(a, b)`, `a.mul(b)` and the same of `div`. */
  factor(node, text) {
    if (ts.isBinaryExpression(node) && [K.AsteriskToken, K.SlashToken].includes(node.operatorToken.kind)) {
      return [replace(node, text(node.left))];
    }
    const call = methodCall(node);
    if (!call || !['mul', 'div'].includes(call.name)) return [];
    const first = isLibrary(call, 'tf') ? call.args[0] : call.object;
    return [replace(node, text(first))];
  },

  /** `-x`, `tf.neg(x)` and `x.neg()` become `x`, and so does `!x`. */
  negation(node, text) {
    if (ts.isPrefixUnaryExpression(node) && [K.MinusToken, K.ExclamationToken].includes(node.operator)) {
      return [replace(node, text(node.operand))];
    }
    const call = methodCall(node);
    if (call?.name !== 'neg') return [];
    return [replace(node, text(isLibrary(call, 'tf') ? call.args[0] : call.object))];
  },

  /** `Math.min` and `Math.max`, `tf.add` and `tf.sub`, and their like. */
  function(node) {
    const call = methodCall(node);
    if (!call) return [];
    const library = Object.keys(CONFUSED).find((name) => isLibrary(call, name));
    const other = (library ? CONFUSED[library] : CONFUSED_METHODS).get(call.name);
    return other === undefined ? [] : [replace(call.nameNode, other)];
  },

  /** A number becomes the next one; 1 becomes 0 too. */
  number(node) {
    if (!ts.isNumericLiteral(node) || isPropertyName(node)) return [];
    const value = Number(node.text);
    return [replace(node, String(value + 1)), ...(value === 1 ? [replace(node, '0')] : [])];
  },

  /** The first two arguments trade places. */
  'argument order'(node, text) {
    const call = methodCall(node);
    if (!call || !ORDERED.has(call.name) || call.args.length < 2) return [];
    if (!isLibrary(call, 'tf') && !isLibrary(call, 'Math')) return [];
    const [a, b] = call.args;
    if (text(a) === text(b)) return [];
    return [{ start: a.getStart(), end: b.end, to: `${text(b)}, ${text(a)}` }];
  },

  /** A sort is left out, or sorts the other way round. */
  sort(node, text) {
    const call = methodCall(node);
    if (!call || !['sort', 'toSorted'].includes(call.name)) return [];
    const [comparator] = call.args;
    const dropped = replace(node, text(call.object));
    if (!comparator || !ts.isArrowFunction(comparator) || comparator.parameters.length !== 2) return [dropped];
    const [a, b] = comparator.parameters;
    return [dropped, { start: a.getStart(), end: b.end, to: `${text(b)}, ${text(a)}` }];
  },

  /** A bound of `slice` or `subarray` is one further; literal bounds are the business of `number`. */
  slice(node, text) {
    const call = methodCall(node);
    if (!call || !['slice', 'subarray'].includes(call.name)) return [];
    return call.args.filter((arg) => !ts.isNumericLiteral(arg)).map((arg) => replace(arg, `${grouped(arg, text)} + 1`));
  },

  /** `a ?? b` becomes `b` (what was given is ignored) or `a` (there is no default). */
  default(node, text) {
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== K.QuestionQuestionToken) return [];
    return [replace(node, text(node.right)), replace(node, text(node.left))];
  },
};

/** @returns {Edit} */
function replace(node, to) {
  return { start: node.getStart(), end: node.end, to };
}

/** @returns {Edit[]} */
function flipBinary(node, table) {
  if (!ts.isBinaryExpression(node) || joinsText(node)) return [];
  const to = table.get(node.operatorToken.kind);
  return to === undefined ? [] : [replace(node.operatorToken, to)];
}

/** Whether a `+` puts texts together, as far as the syntax tells. */
function joinsText(node) {
  const { kind } = node.operatorToken;
  if (kind !== K.PlusToken && kind !== K.PlusEqualsToken) return false;
  const isText = (side) =>
    ts.isStringLiteralLike(side) ||
    ts.isTemplateExpression(side) ||
    (ts.isBinaryExpression(side) && joinsText(side)) ||
    (ts.isParenthesizedExpression(side) && isText(side.expression));
  return isText(node.left) || isText(node.right);
}

/** Whether the call is `library.name(...)`. */
function isLibrary(call, library) {
  return ts.isIdentifier(call.object) && call.object.text === library;
}

/** A call `object.name(args)`, type arguments or not. */
function methodCall(node) {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: object, name } = node.expression;
  return { object, name: name.text, nameNode: name, args: node.arguments };
}

function isPropertyName(node) {
  return ts.isPropertyAssignment(node.parent) && node.parent.name === node;
}

/** The source of an operand of `+`. */
function grouped(node, text) {
  const simple = ts.isLeftHandSideExpression(node) || ts.isPrefixUnaryExpression(node);
  return simple ? text(node) : `(${text(node)})`;
}
