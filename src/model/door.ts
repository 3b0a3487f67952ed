// Doors: how programs and web pages get at an instance by WebSocket. A VM has a console and a screen; into a container leads a
// command that is run in it.

import type { ConsoleChannel } from './console.ts';
import { BerthError } from './errors.ts';
import type { InstanceKind, InstanceStatus } from './instance.ts';

/** Every door. */
export const doors = ['console', 'screen', 'exec'] as const;
/** One of {@link doors}. */
export type Door = (typeof doors)[number];

/** What is connected behind each. */
export const channelOf: Record<Door, ConsoleChannel> = { console: 'serial', screen: 'vnc', exec: 'exec' };

/** What is run in a container. */
export interface ExecOrder {
  /** The program and what it is given; null for a login shell. */
  command: string[] | null;
  /** The size of the terminal that it gets; null for none. */
  terminal: { columns: number; rows: number } | null;
}

/** A login shell in a terminal of the size that terminals had. */
export const shellOrder = { command: null, terminal: { columns: 80, rows: 24 } } satisfies ExecOrder;

/** Terminals are no larger; the Engine takes 16 bits. */
export const terminalSideMax = 1_000;
/** Words of a command. */
export const commandWordsMax = 100;
/** Of each; longer texts go to its input. */
export const commandWordLengthMax = 4_096;

const kindOf: Record<Door, InstanceKind> = { console: 'vm', screen: 'vm', exec: 'container' };
/** There is nothing of it any more, or nobody is to see it. */
const shut: readonly InstanceStatus[] = ['soft-deleted', 'deleting', 'deleted'];

/**
 * Holds an instance to have a door, and one that may be opened now.
 * @param field what names the door in the request
 * @throws BerthError `unsupported`, `wrong_state`
 */
export function requireDoor(
  { name, kind, status }: { name: string; kind: InstanceKind; status: InstanceStatus },
  door: Door,
  field: string,
): void {
  if (kind !== kindOf[door]) {
    const what = kind === 'vm' ? 'a VM, which has "console" and "screen"' : 'a container, which has "exec"';
    throw new BerthError('unsupported', `${field} is "${door}", but ${name} is ${what}.`, field);
  }
  if (shut.includes(status)) throw new BerthError('wrong_state', `Nobody is let into ${name}: it is ${status}.`, field);
}
