/**
 * Which files a test runs, read from the imports: what it imports, what those import, and so on. Types alone do not count;
 * a worker that is named by a URL and a file of `dist` that a test starts do.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

/** A module of the library by its built name, as tests name what they start. */
const BUILT = /\bdist\/([\w/-]+)\.js\b/g;

/** The import graph of a project; files are read once. */
export class Imports {
  /** @type {Map<string, string[]>} */
  #direct = new Map();

  /** @param {string} root the project's folder */
  constructor(root) {
    this.root = resolve(root);
  }

  /**
   * The files that a file runs, itself included, sorted; paths in the project, with `/`.
   * @param {string} file @returns {string[]}
   */
  closure(file) {
    const found = new Set([file]);
    for (const next of found) for (const path of this.#importsOf(next)) found.add(path);
    return [...found].sort();
  }

  /** Whether a file itself imports another. @param {string} file @param {string} other */
  isDirect(file, other) {
    return this.#importsOf(file).includes(other);
  }

  /** @param {string} file @returns {string[]} */
  #importsOf(file) {
    const known = this.#direct.get(file);
    if (known) return known;
    const imports = file.endsWith('.json') ? [] : this.#read(file);
    this.#direct.set(file, imports);
    return imports;
  }

  #read(file) {
    const source = readFileSync(join(this.root, file), 'utf8');
    const folder = dirname(join(this.root, file));
    const paths = specifiers(file, source).map((specifier) => resolve(folder, specifier));
    if (file.startsWith('test/')) {
      for (const [, name] of source.matchAll(BUILT)) paths.push(join(this.root, 'lib', `${name}.js`));
    }
    return paths.flatMap((path) => this.#sourceOf(path) ?? []);
  }

  /** The file that an import of `path` means, where it is one of the project. */
  #sourceOf(path) {
    const inside = relative(this.root, path)
      .split(sep)
      .join('/')
      .replace(/^dist\//, 'lib/');
    if (inside.startsWith('..')) return undefined;
    return [inside.replace(/\.js$/, '.ts'), inside].find(
      (name) => /\.\w+$/.test(name) && existsSync(join(this.root, name)),
    );
  }
}

/** Relative paths that a file imports at run time. @returns {string[]} */
function specifiers(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  const found = [];
  const visit = (node) => {
    const specifier = specifierOf(node);
    if (specifier && ts.isStringLiteralLike(specifier)) found.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found.filter((name) => name.startsWith('.') || /^[\w-]+\.js$/.test(name));
}

/** The text that names another file: of an import, a re-export, `import()` or `new URL(name, import.meta.url)`. */
function specifierOf(node) {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly ? undefined : node.moduleSpecifier;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? undefined : node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') return node.arguments?.[0];
  return undefined;
}
