// The program: which commands it has, and how they end. Those that ask a server are quick and load no more than they need; those of the
// installation itself are loaded when one of them is asked for, or all are shown.

import { version } from './api/document.ts';
import { addClientCommands, allNouns, emptyProgram, isClientNoun, nounsFor, runProgram } from './cli/program.ts';
import { processTerminal } from './cli/terminal.ts';

const [, , first, ...rest] = process.argv;
// `berth help vm create` is `berth vm create --help`.
const argv = first === 'help' ? [...rest, '--help'] : process.argv.slice(2);
const isClient = isClientNoun(argv[0]);
const isHelp = argv.length === 0 || argv.includes('--help') || argv.includes('-h');
const terminal = processTerminal(isClient || isHelp);
const program = emptyProgram(version, terminal);
try {
  const asked = nounsFor(argv);
  await addClientCommands(program, terminal, asked);
  const isWhole = asked === allNouns;
  if (!isClient || isWhole) {
    const { addInstallationCommands } = await import('./compose/commands.ts');
    await addInstallationCommands(program, isWhole ? ['local'] : argv);
  }
  await runProgram(program, argv, terminal.end);
} catch (error) {
  process.stderr.write(`berth: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
