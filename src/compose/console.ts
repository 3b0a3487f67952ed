// The consoles of one server: their doors on management addresses and by WebSocket, and where hosts connect what is behind them.

import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { portHolder } from '../agent/network/listeners.ts';
import { Redirects } from '../agent/network/redirects.ts';
import type { App } from '../api/types.ts';
import { routeUpgrade, wantsDoor } from '../api/upgrade.ts';
import { ConsoleExchange } from '../app/console.ts';
import type { Context } from '../app/context.ts';
import { setConsolePool } from '../app/management-address.ts';
import { ConsoleFront } from '../console-front/front.ts';
import { ConsoleUplink } from '../console-front/uplink.ts';
import { WebDoors } from '../console-front/web-doors.ts';
import type { SshPlace } from '../host/ssh/listener.ts';

/** A server's consoles. */
export interface RunningConsoles {
  /** Takes hosts' connections and WebSockets on a listener of the server's. */
  serveOn(server: Server | HttpsServer): void;
  /** Opens the doors. @param pool what management addresses are given out of from now on; undefined leaves it as it is */
  start(pool: string | undefined): Promise<void>;
  /** Ends every console and closes all doors. */
  close(): Promise<void>;
}

/** A server's consoles, with their doors closed. */
export function makeConsoles(context: Context, app: App): RunningConsoles {
  const exchange = new ConsoleExchange(context);
  const uplink = new ConsoleUplink(exchange, context.logger);
  const doors = new WebDoors(context, exchange);
  const redirects = new Redirects();
  const redirect = async (place: SshPlace, port: number | null) => {
    // Of who has that very address, another Berth perhaps, nothing is taken.
    if (port !== null && (await portHolder('tcp', place.address, place.port)) === 'address') {
      throw new Error(`another program listens on ${place.address}:${place.port}`);
    }
    await redirects.set(place, port);
  };
  const front = new ConsoleFront({ context, exchange, redirect });
  return {
    serveOn(server) {
      server.on('upgrade', (request, socket, head) => {
        if (wantsDoor(request)) routeUpgrade(app, doors, request, socket, head);
        else uplink.take(request, socket, head);
      });
    },
    async start(pool) {
      if (pool !== undefined) await setConsolePool(context, pool);
      front.start();
    },
    async close() {
      await doors.close();
      exchange.close();
      uplink.close();
      await front.close();
      await redirects.dismiss();
    },
  };
}
