/** The manifest and the image fit each other, the launcher's variable and the package; what a linter cannot know. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseTfConfig } from '../../lib/engine/cluster.js';
import { COMMANDS } from '../../lib/cli/commands.js';

interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

const documents = parseAllDocuments(readFileSync('docs/deploy/kubernetes.yaml', 'utf8'));
const manifests = documents.map((document) => document.toJS() as Manifest);
const of = (kind: string): Manifest => manifests.find((manifest) => manifest.kind === kind)!;

interface Pod {
  subdomain: string;
  containers: {
    args: string[];
    ports: { containerPort: number }[];
    env: { name: string; value?: string }[];
    volumeMounts: { name: string }[];
  }[];
  volumes: { name: string }[];
}

const { completions, parallelism, completionMode, template } = of('Job').spec as unknown as {
  completions: number;
  parallelism: number;
  completionMode: string;
  template: { metadata: { labels: Record<string, string> }; spec: Pod };
};
const [container] = template.spec.containers;

test('every document is YAML, and there is a job, its names and its wall', () => {
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  expect(manifests.map(({ kind }) => kind)).toEqual(['Service', 'NetworkPolicy', 'Job']);
});

test('TF_CONFIG names the pods of the job, each its own index', () => {
  expect([completions, completionMode]).toEqual([parallelism, 'Indexed']);
  const text = container!.env.find(({ name }) => name === 'TF_CONFIG')!.value!;
  const [{ containerPort }] = container!.ports as [{ containerPort: number }];
  const job = of('Job').metadata.name;
  const addresses = Array.from(
    { length: completions },
    (_, i) => `${job}-${i}.${of('Service').metadata.name}:${containerPort}`,
  );
  addresses.forEach((_, rank) => {
    expect(parseTfConfig(text.replace('$(RANK)', String(rank)))).toEqual({ addresses, rank });
  });
  expect(container!.env.findIndex(({ name }) => name === 'RANK')).toBeLessThan(
    container!.env.findIndex(({ name }) => name === 'TF_CONFIG'), // Kubernetes puts in what stands before
  );
});

test('service and network policy are of the pods, and let in the port alone', () => {
  const { labels } = template.metadata;
  const [{ containerPort }] = container!.ports as [{ containerPort: number }];
  const service = of('Service').spec as { selector: object; clusterIP: string; ports: { port: number }[] };
  expect(template.spec.subdomain).toBe(of('Service').metadata.name);
  expect([service.selector, service.clusterIP]).toEqual([labels, 'None']);
  expect(service.ports.map(({ port }) => port)).toEqual([containerPort]);
  const policy = of('NetworkPolicy').spec as unknown as {
    podSelector: { matchLabels: object };
    ingress: { from: { podSelector: { matchLabels: object } }[]; ports: { port: number }[] }[];
  };
  expect(policy.podSelector.matchLabels).toEqual(labels);
  expect(policy.ingress).toHaveLength(1);
  expect(policy.ingress[0]!.from).toEqual([{ podSelector: { matchLabels: labels } }]);
  expect(policy.ingress[0]!.ports.map(({ port }) => port)).toEqual([containerPort]);
});

test('it runs a command that several processes share, on volumes that are there', () => {
  const [script, , command] = container!.args;
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(Object.keys(scripts)).toContain(script);
  expect(COMMANDS[command!]!.parallel).toBe(true);
  const volumes = template.spec.volumes.map(({ name }) => name);
  for (const { name } of container!.volumeMounts) expect(volumes).toContain(name);
});

test("the image's entry runs the package's scripts; what is not sent to it is made in it", () => {
  const text = readFileSync('Dockerfile', 'utf8');
  const words = (name: string): string[] =>
    JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(text)![1]!) as string[];
  expect(words('ENTRYPOINT')).toEqual(['npm', 'run', '--silent']);
  expect(words('CMD')).toEqual(['start']);
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const node = Number(/^FROM node:(\d+)-/m.exec(text)![1]);
  expect(node).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)![0]));
  const left = readFileSync('.dockerignore', 'utf8').trim().split('\n');
  for (const name of ['node_modules', 'dist', '.venv', 'data']) expect(left).toContain(name);
  for (const name of left) expect(['kernels', 'lib', 'package.json', 'package-lock.json']).not.toContain(name);
  expect(existsSync('package-lock.json')).toBe(true);
});
