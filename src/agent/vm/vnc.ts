// A VM's screen: a display adapter, and QEMU's own VNC server on a unix socket, which nothing of the network reaches. Who may
// look is decided where the connection comes from.

import type { Socket } from 'node:net';
import { DriverFailure } from '../driver.ts';
import { connectUnix } from './unix-socket.ts';

/** Name inside `run/`. */
const vncSocketName = 'vnc.sock';
/** A QEMU that is well takes a connection at once. */
const connectMs = 2_000;

/**
 * QEMU's arguments for a screen.
 * @param keymap in which layout VNC clients send keys that don't tell which key of the keyboard they are; null for QEMU's own
 */
export function screenArguments(keymap: string | null): string[] {
  return [
    // What every firmware, boot loader and kernel has a driver for.
    ...['-device', 'VGA,vgamem_mb=16'],
    // One who connects doesn't throw the others out, whatever his client asks for.
    ...['-vnc', `unix:${vncSocketName},share=force-shared`],
    ...(keymap === null ? [] : ['-k', keymap]),
  ];
}

/**
 * A connection to the VNC server of a VM that runs.
 * @param runDirectory QEMU's working directory
 * @throws DriverFailure when there is none, as with one that was started before there were screens
 */
export async function connectScreen(runDirectory: string): Promise<Socket> {
  try {
    return await connectUnix(runDirectory, vncSocketName, connectMs, () => false);
  } catch {
    throw new DriverFailure('vm.no-screen', 'The VM has no screen; it gets one when it is next switched on.', false);
  }
}
