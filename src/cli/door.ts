// A door of an instance on this terminal: what is typed goes in as it is typed, what is said comes out as it is said.

import type { DoorEnd, TerminalDoor } from '../../sdk/doors.ts';
import type { Desk } from './command.ts';
import { exitCodes } from './exit.ts';
import { plainText } from './table.ts';

/** Ctrl-], as telnet and virsh have it. */
const escapeByte = 0x1d;

const exitCodesOfEnds: Readonly<Record<number, number>> = {
  1000: 0,
  4401: exitCodes.access,
  4403: exitCodes.access,
  4404: exitCodes.notFound,
  4409: exitCodes.conflict,
};

/** Whether what is typed comes from a terminal, letter by letter. */
export const isTyped = ({ input, out }: Pick<Desk, 'input' | 'out'>): boolean =>
  input.isTTY === true && out.isTTY === true && input.setRawMode !== undefined;

/**
 * Connects a door with this terminal until either side ends it.
 * @param hasEscape whether Ctrl-] leaves; what ends by itself needs none
 * @returns how it was closed; null where the person has left
 */
export async function attach(desk: Desk, door: TerminalDoor, hasEscape: boolean): Promise<DoorEnd | null> {
  const { input, out, err, signal } = desk;
  const isRaw = isTyped(desk);
  let hasLeft = false;
  const leave = () => {
    hasLeft = true;
    door.close();
  };
  const type = (chunk: Buffer | string) => {
    const bytes = Buffer.from(chunk);
    const until = isRaw && hasEscape ? bytes.indexOf(escapeByte) : -1;
    if (until !== 0) door.write(Uint8Array.from(until < 0 ? bytes : bytes.subarray(0, until)));
    if (until >= 0) leave();
  };
  const end = () => door.end();
  const resize = () => door.resize(out.columns ?? 80, out.rows ?? 24);
  door.onData((bytes) => out.write(bytes));
  door.onStderr((bytes) => err.write(bytes));
  input.on('data', type);
  input.once('end', end);
  signal.addEventListener('abort', leave, { once: true });
  if (isRaw) {
    input.setRawMode?.(true);
    out.on?.('resize', resize);
  }
  input.resume();
  try {
    const closed = await door.closed;
    return hasLeft ? null : closed;
  } finally {
    input.off('data', type);
    input.off('end', end);
    if (isRaw) {
      input.setRawMode?.(false);
      out.off?.('resize', resize);
    }
    input.pause();
  }
}

/** Tells why a door was closed, where that is no end of its own, and ends the command so. */
export function tellEnd({ err, end }: Desk, { code, reason }: DoorEnd): void {
  const exitCode = exitCodesOfEnds[code] ?? exitCodes.unreachable;
  if (exitCode !== 0) err.write(`\r\nberth: ${plainText(reason) || 'The connection has broken off.'}\r\n`);
  end(exitCode);
}
