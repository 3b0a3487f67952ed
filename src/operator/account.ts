// `berth local account`: who may deploy, and their money. Keys and users stand beside.

import type { Command } from 'commander';
import { type AccountRow, createAccount, findAccount, listAccounts } from '../app/account.ts';
import { creditAccount, debitAccount, readBalance, statement, statementCsv } from '../app/ledger.ts';
import { operatorActor } from '../app/operator.ts';
import type { Span } from '../model/moment.ts';
import { formatUsd, parseAmount } from '../model/money.ts';
import { addKeyCommands } from './api-key.ts';
import { type Answer, addCommand, type Ground, group, plain } from './command.ts';
import { facts, moment, table } from './print.ts';
import { type SpanOptions, spanOf, withSpan } from './span.ts';
import { addUserCommands } from './user.ts';

const toValue = ({ availableMicroUsd, heldMicroUsd, ...account }: AccountRow) => ({
  ...account,
  available: formatUsd(availableMicroUsd),
  held: formatUsd(heldMicroUsd),
});

/** The `account` command. */
export function accountCommand(ground: Ground): Command {
  const command = group('account', 'who may deploy, and what they have');
  addCommand(command, ground, 'list', 'show all accounts', plain, async (context) => {
    const accounts = (await listAccounts(context)).map(toValue);
    const rows = accounts.map(({ name, instances, available, held, createdAt }) => [
      ...[name, String(instances), available, held, moment(createdAt)],
    ]);
    return { value: { accounts }, text: table(['account', 'vms', 'available usd', 'held usd', 'opened'], rows) };
  });
  addCommand(command, ground, 'create <NAME>', 'open an account', plain, async (context, [name = '']) => {
    const account = toValue(await createAccount(context, name, 'the name'));
    return { value: account, text: `Account ${name} is open, with nothing in it yet.\n` };
  });
  addCommand(command, ground, 'show <NAME>', 'show one account', plain, async (context, [name = '']) => {
    const account = toValue(await findAccount(context, name));
    const text = facts([
      ['account', account.name],
      ['id', account.id],
      ['opened', moment(account.createdAt)],
      ['instances', String(account.instances)],
      ['available', `${account.available} USD`],
      ['held', `${account.held} USD`],
    ]);
    return { value: account, text };
  });
  const moves = [
    ['credit', creditAccount, 'give an account money; what it owes is paid at once'],
    ['debit', debitAccount, 'take money from an account'],
  ] as const;
  for (const [verb, move, description] of moves) {
    addCommand<{ reason: string }>(
      command,
      ground,
      `${verb} <NAME> <AMOUNT>`,
      description,
      (own) => own.requiredOption('--reason <TEXT>', 'why; it stands in the statement'),
      async (context, [name = '', text = ''], { reason }) => {
        const account = await findAccount(context, name);
        const amount = parseAmount(text, 'the amount');
        await move(context, account.id, amount, reason, operatorActor);
        const { available, held } = await readBalance(context, account.id);
        const value = {
          account: account.name,
          amount: formatUsd(amount),
          available: formatUsd(available),
          held: formatUsd(held),
        };
        return {
          value,
          text: `Account ${value.account} has ${value.available} USD available and ${value.held} held.\n`,
        };
      },
    );
  }
  addCommand<SpanOptions & { csv?: boolean }>(
    command,
    ground,
    'statement <NAME>',
    'show what moved in an account, oldest first',
    (own) => withSpan(own).option('--csv', 'answer in CSV'),
    async (context, [name = ''], options) => {
      const account = await findAccount(context, name);
      const span = spanOf(options, context.clock.now());
      return statementAnswer(account, await statement(context, account.id, span), span, options.csv === true);
    },
  );
  addKeyCommands(command, ground);
  addUserCommands(command, ground);
  return command;
}

type Lines = Awaited<ReturnType<typeof statement>>;

function statementAnswer({ name }: AccountRow, lines: Lines, { from, to }: Span, asCsv: boolean): Answer {
  const transactions = lines.map(({ id, createdAt, kind, instanceId, instanceName, reason, actor, ...line }) => ({
    ...{ id, at: createdAt.toISOString(), kind, instanceId, instanceName, reason, actor },
    availableMoved: formatUsd(line.availableMoved),
    heldMoved: formatUsd(line.heldMoved),
    available: formatUsd(line.available),
    held: formatUsd(line.held),
  }));
  const value = { account: name, from, to, transactions };
  if (asCsv) return { value, text: statementCsv(lines) };
  const rows = lines.map((line) => [
    ...[moment(line.createdAt), line.kind, line.instanceName ?? '', formatUsd(line.availableMoved)],
    ...[formatUsd(line.heldMoved), formatUsd(line.available), formatUsd(line.held), line.reason],
  ]);
  const heading = ['at', 'kind', 'vm', 'moved', 'held moved', 'available', 'held', 'reason'];
  return { value, text: table(heading, rows) };
}
