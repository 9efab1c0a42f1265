/** `schema.json`: what editors complete a configuration file with; made of the stages' options. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { STAGE_NAMES, pipelineSchema } from '../../lib/pipeline/pipeline-options.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the published file is the schema of today (npx vitest run test/pipeline/schema-file.test.ts --update writes it anew)', async () => {
  await expect(JSON.stringify(pipelineSchema(), null, 2) + '\n').toMatchFileSnapshot('../../schema.json');
});

test('every stage is there, with bounds and defaults', () => {
  const { properties } = pipelineSchema() as { properties: Record<string, { properties: Record<string, unknown> }> };
  expect(Object.keys(properties)).toEqual(expect.arrayContaining([...STAGE_NAMES, 'out', 'dataset', 'baselines']));
  expect(properties.sft!.properties.dropout).toMatchObject({
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0.3,
  });
  expect(properties.sid!.properties.hidden).toMatchObject({ type: 'array' });
});

test('every recipe names it', () => {
  for (const name of readdirSync(join(root, 'recipes'))) {
    const recipe = JSON.parse(readFileSync(join(root, 'recipes', name), 'utf8')) as Record<string, unknown>;
    expect(recipe.$schema, name).toBe('../schema.json');
  }
});
