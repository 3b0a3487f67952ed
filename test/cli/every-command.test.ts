// Every command of the tree, so that none is forgotten: its help has examples and fits a terminal, its answer in JSON is what the API
// documents, its answer for people fits eighty columns, and without anybody logged in it says so.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { describedBy, operationOf } from '../../src/cli/command.ts';
import { exitCodes } from '../../src/cli/exit.ts';
import { faultsOf, operations } from '../api/native/document.ts';
import { startWorld, type World } from '../api/native/world.ts';
import { cases } from './cases.ts';
import { everyCommand, Person } from './support.ts';

const commands = await everyCommand();
const columnsMax = 80;

/** What is there to be copied stays in one line. */
const isForCopying = (line: string) => line.startsWith('  berth ');
const tooLong = (text: string) =>
  text.split('\n').filter((line) => [...line].length > columnsMax && !isForCopying(line));

test('the help of every command has examples, and no line of it is too long', () => {
  for (const { words, command } of commands) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    assert.match(help, new RegExp(`^Examples:\\n {2}berth ${words}`, 'm'), words);
    assert.ok((describedBy(command)?.examples.length ?? 0) >= 2, `${words} has fewer than two examples`);
    for (const line of describedBy(command)?.examples ?? []) assert.ok(line.startsWith(words), line);
    assert.match(help, /^Exit codes: 0, [\s\S]*^See also: berth /m, words);
    assert.deepEqual(tooLong(help), [], words);
  }
});

/** Options that must be given and are read before anybody is asked. */
const valued: Record<string, string> = { '--vcpus': '1', '--memory': '1GiB', '--storage': '1GiB', '--every': '1d' };

test('without a login every command that asks a server says how to log in', async () => {
  const nobody = new Person();
  for (const { words, command } of commands) {
    if (operationOf(command) === undefined) continue;
    const given = command.registeredArguments.filter(({ required }) => required).map(() => 'x');
    const mandatory = command.options
      .filter((one) => one.mandatory)
      .flatMap(({ long = '' }) => [long, valued[long] ?? 'x']);
    const { status, err } = await nobody.run([...words.split(' '), ...given, ...mandatory]);
    assert.equal(status, exitCodes.access, `${words}: ${err}`);
    assert.match(err, /berth login/, words);
  }
});

const world: World = await startWorld();
after(() => world.close());
const customer = new Person(world.berth);
const operator = new Person({ url: world.berth.url, apiKey: world.operator });

/** What is no command's alone, and the command that does it. */
const within: Readonly<Record<string, string>> = {
  createSession: 'login',
  deleteCurrentSession: 'logout',
  getCurrentSession: 'session show',
  streamEvents: 'event follow',
  createDeployment: 'vm create',
  estimateInstances: 'vm create',
  // Doors: a ticket opens each, and this terminal is no screen.
  createTicket: 'vm console',
  openConsole: 'vm console',
  openExec: 'ct exec',
  openScreen: 'vm screen',
};

test('every operation of the API has a command', () => {
  const done = new Set(commands.map(({ command }) => operationOf(command)));
  const missing = operations.map(({ id }) => id).filter((id) => !done.has(id) && !(id in within));
  assert.deepEqual(missing, []);
  const unknown = Object.entries(within).filter(
    ([id, command]) => done.has(id) || !commands.some(({ words }) => words === command),
  );
  assert.deepEqual(unknown, [], 'each stands here for a reason that holds');
});

test('every command that asks a server has a case here', () => {
  const missing = commands.filter(({ words, command }) => operationOf(command) !== undefined && !(words in cases));
  assert.deepEqual(
    missing.map(({ words }) => words),
    [],
  );
});

for (const { words, command } of commands) {
  const id = operationOf(command);
  const one = cases[words];
  if (id === undefined || one === undefined) continue;
  test(`berth ${words} answers what ${id} is documented to answer, and fits eighty columns`, async () => {
    const operation = operations.find((some) => some.id === id);
    assert.ok(operation, `there is no operation ${id}`);
    const run = async (...more: string[]) => {
      const person = one.person ? await one.person(world) : one.isForOperators ? operator : customer;
      const argv = [...words.split(' '), ...(await one.args(world, person)), ...more];
      return person.run(argv, { input: one.input?.(person) ?? '' });
    };
    const { status, out, err } = await run('--json');
    assert.equal(status, 0, err);
    if (out === '') assert.ok(operation.statuses.includes(204), `${words} printed nothing`);
    else {
      const success = operation.statuses.find((code) => code < 300) ?? 200;
      assert.equal(faultsOf(operation, success, JSON.parse(out)), null);
    }
    const told = await run();
    assert.equal(told.status, 0, told.err);
    assert.notEqual(told.out, '', words);
    assert.deepEqual(tooLong(told.out), [], words);
  });
}
