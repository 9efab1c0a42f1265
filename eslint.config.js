import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'notebooks/',
      'figures/',
      'data/',
      '.venv/',
      '.venv-peers/',
      '.run/',
      'docs/api/',
    ],
  },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off', // indexed reads are checked by bounds, not by the type
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
      // public option types are interfaces that a schema fills
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['lib/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'CallExpression[callee.object.name="Math"] > SpreadElement',
          message: 'a call takes some 120,000 arguments: largest and smallest of support/extremes take any number',
        },
        {
          selector: 'CallExpression[callee.object.name="tf"][callee.property.name="oneHot"][arguments.length>2]',
          message: 'WebAssembly gives whole numbers whatever type is asked for: oneHot of ops/basic casts',
        },
      ],
    },
  },
  { files: ['**/*.mjs', 'lib/cli.ts', 'bench/**'], rules: { 'no-console': 'off' } },
);
