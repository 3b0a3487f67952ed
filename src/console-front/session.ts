// What somebody does who is let in at a console's door: a shell is the serial port, and a tunnel to port 5900 the screen.

import type { Duplex } from 'node:stream';
import type { Connection, ServerChannel, Session } from 'ssh2';
import { join } from '../host/join.ts';
import type { ConsoleChannel } from '../model/console.ts';
import { BerthError } from '../model/errors.ts';

/** VNC's port of a first display, which clients are told to lead to. */
const vncPort = 5900;
/** A person has one of each, and another when the first hangs. */
const channelsMax = 10;
/** What OpenSSH says of a session that could not be. */
const failureCode = 255;

const noCommands =
  'This is a serial console and takes no commands: connect without one, and leave with "~." on a line of its own.\r\n';

/** What a visitor is given. */
export interface VisitParts {
  /** The address of the door. */
  address: string;
  /** Opens one of the VM's consoles. @throws BerthError that says why not */
  open(channel: ConsoleChannel): Promise<Duplex>;
  logger: { warn(fields: object, message: string): void };
}

/** Lets a client that has logged in have its channels. */
export function serveVisit(connection: Connection, parts: VisitParts): void {
  let channels = 0;
  let isGone = false;
  connection.once('close', () => {
    isGone = true;
  });
  const count = (channel: { once(event: 'close', listener: () => void): unknown }) => {
    channels += 1;
    channel.once('close', () => {
      channels -= 1;
    });
  };
  connection.on('session', (accept, reject) => {
    if (channels >= channelsMax) return reject();
    const session = accept();
    count(session);
    serveSession(session, parts);
  });
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const isHere = [parts.address, 'localhost', '127.0.0.1', '::1'].includes(destIP);
    if (channels >= channelsMax || !isHere || destPort !== vncPort) return reject();
    // Counted at once: what is being opened is a connection, too.
    channels += 1;
    open(parts, 'vnc').then(
      (screen) => {
        // Nothing would ever close a channel of a connection that is gone, nor the screen with it.
        if (isGone) return void screen.destroy();
        const channel = accept();
        channel.once('close', () => {
          channels -= 1;
        });
        void join(channel, screen);
      },
      () => {
        channels -= 1;
        reject();
      },
    );
  });
}

function serveSession(session: Session, parts: VisitParts): void {
  // The terminal's size is the guest's business, who does not hear of it on a serial port.
  session.on('pty', (accept) => accept?.());
  session.on('window-change', (accept) => accept?.());
  session.on('env', (accept) => accept?.());
  session.on('signal', (accept) => accept?.());
  session.on('shell', (accept) => void serveSerial(accept(), parts));
  session.on('exec', (accept) => end(accept(), noCommands));
  session.on('subsystem', (_accept, reject) => reject?.());
}

async function serveSerial(channel: ServerChannel | undefined, parts: VisitParts): Promise<void> {
  // A session is one shell; ssh2 gives no channel for a second.
  if (!channel) return;
  channel.on('error', () => {});
  try {
    const serial = await open(parts, 'serial');
    if (channel.closed) serial.destroy();
    else await join(channel, serial);
  } catch (error) {
    end(channel, `${error instanceof BerthError ? error.message : 'The console is not there at the moment.'}\r\n`);
  }
}

async function open(parts: VisitParts, channel: ConsoleChannel): Promise<Duplex> {
  try {
    return await parts.open(channel);
  } catch (error) {
    if (!(error instanceof BerthError)) parts.logger.warn({ err: error, channel }, 'a console could not be opened');
    throw error;
  }
}

function end(channel: ServerChannel | undefined, message: string): void {
  if (!channel) return;
  channel.stderr.write(message);
  channel.exit(failureCode);
  channel.end();
}
