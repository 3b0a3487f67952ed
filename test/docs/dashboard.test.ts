// Holds the Grafana dashboard and the alerts in deploy/ to what a server really exports: a panel that asks for a metric or a label
// that is not there stays empty, and an alert on one never fires.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startTestBerth, type TestBerth, until } from '../support/berth.ts';

interface Panel {
  title: string;
  targets: { expr: string }[];
}

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
const { panels } = JSON.parse(read('grafana/berth.json')) as { panels: Panel[] };
const shown = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr })));
const alerts = [...read('berth-rules.yml').matchAll(/^ +expr: (.+)$/gm)].map(([, expr = '']) => ({
  where: 'berth-rules.yml',
  expr,
}));

/** What Prometheus itself makes: of each scrape, and of where it was. */
const itsOwn = { metrics: ['up'], labels: ['job', 'instance'] };
const namePattern = /\b(up|(?:berth|process|nodejs)_\w+)\b/g;

let berth: TestBerth;
/** The names of the labels of each metric, as they stand in a scrape. */
const labelsOf = new Map<string, Set<string>>();

before(async () => {
  berth = await startTestBerth();
  await berth.call('GET', '/vms/v3');
  let text = '';
  // Both passes of the drift checker, which begin as the server does, have left their numbers.
  await until('drift is counted', async () => {
    text = await (await fetch(`${berth.url}/metrics`)).text();
    return ['orphan', 'ledger'].every((kind) => text.includes(`berth_drift{kind="${kind}"}`));
  });
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labelsOf.get(name) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    labelsOf.set(name, known);
  }
  for (const [, name = ''] of text.matchAll(/^# TYPE (\w+) (?:gauge|counter)$/gm)) {
    if (!labelsOf.has(name)) labelsOf.set(name, new Set());
  }
});
after(() => berth.close());

test('every metric of the dashboard and the alerts is exported', () => {
  const asked = [...shown, ...alerts];
  assert.ok(shown.length > 10 && alerts.length > 3, 'the files were read');
  for (const { where, expr } of asked) {
    const names = [...expr.matchAll(namePattern)].map(([name]) => name);
    assert.ok(names.length > 0, `${where}: ${expr} asks for nothing that is known`);
    for (const name of names) {
      assert.ok(labelsOf.has(name) || itsOwn.metrics.includes(name), `${where}: there is no metric ${name}`);
    }
  }
});

test('every label that is asked for is one of its metric', () => {
  for (const { where, expr } of [...shown, ...alerts]) {
    for (const [, name = '', selectors = ''] of expr.matchAll(/\b(\w+)\{([^}]*)\}/g)) {
      for (const [, label = ''] of selectors.matchAll(/(\w+) ?(?:=|!=|=~|!~)"/g)) {
        const isKnown = labelsOf.get(name)?.has(label) || itsOwn.labels.includes(label);
        assert.ok(isKnown, `${where}: ${name} has no label ${label}`);
      }
    }
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', '));
    const all = new Set([...expr.matchAll(namePattern)].flatMap(([name]) => [...(labelsOf.get(name) ?? [])]));
    for (const label of grouped) assert.ok(all.has(label), `${where}: nothing in ${expr} has a label ${label}`);
  }
});
