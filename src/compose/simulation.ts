// What `--simulate` says: how an agent that runs nothing behaves. For tests and benchmarks, and for looking at Berth without a
// hypervisor. Whatever it says, nothing is run for real.

import { InvalidArgumentError, Option } from 'commander';
import type { AgentOptions } from './agent.ts';

type Simulated = NonNullable<AgentOptions['simulated']>;

/** As a VM on a middling host: a second to start, and nothing fails. */
const behaviourDefault: Simulated['behaviour'] = {
  ...{ bootMs: 1_000, eraseMs: 200, startFailureChance: 0, imageFailureChance: 0 },
};
const capacityDefault: Simulated['capacity'] = { cores: 16, memoryMib: 64 * 1024, diskGib: 1_000 };

const known = {
  '': ['simulated', 'patience'],
  simulated: ['behaviour', 'capacity', 'seed', 'hardware', 'storagePools'],
};

/**
 * The simulation that a text asks for; what it leaves out is as on a host where nothing goes wrong.
 * @throws InvalidArgumentError
 */
export function parseSimulation(text: string): { simulated: Simulated; patience: AgentOptions['patience'] & object } {
  const given = objectIn(parsed(text), '');
  const simulated = objectIn(given.simulated ?? {}, 'simulated');
  return {
    simulated: {
      ...(simulated as Partial<Simulated>),
      behaviour: { ...behaviourDefault, ...objectIn(simulated.behaviour ?? {}, 'simulated.behaviour') },
      capacity: { ...capacityDefault, ...objectIn(simulated.capacity ?? {}, 'simulated.capacity') },
    },
    patience: objectIn(given.patience ?? {}, 'patience'),
  };
}

/** The option of commands that run an agent. */
export const simulate = () =>
  new Option('--simulate <JSON>', 'run no hypervisor but a simulation, for tests; {} for one in which nothing fails')
    .argParser(parseSimulation)
    .hideHelp();

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}.`);
  }
}

/** An object with none but the fields that are known where it stands. */
function objectIn(value: unknown, place: string): Record<string, unknown> {
  const where = place || 'it';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(`${where} must be an object, such as {} for the usual.`);
  }
  const names = (known as Record<string, string[]>)[place];
  const unknown = names && Object.keys(value).find((name) => !names.includes(name));
  if (unknown === undefined) return { ...value };
  throw new InvalidArgumentError(`${where} has "${unknown}", which is not known there; it takes ${names?.join(', ')}.`);
}
