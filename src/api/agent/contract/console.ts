// Consoles: connections from a server to a VM or into a container, which the host opens.

import Type, { type Static } from 'typebox';
import { consoleChannels } from '../../../model/console.ts';
import { commandWordLengthMax, commandWordsMax, terminalSideMax } from '../../../model/door.ts';
import { InstanceId, Uuid } from './field.ts';

const Side = Type.Integer({ minimum: 1, maximum: terminalSideMax });

/** A command to be run in a container: a login shell where none is named. */
const ExecSchema = Type.Object({
  command: Type.Union([
    Type.Array(Type.String({ maxLength: commandWordLengthMax }), { maxItems: commandWordsMax }),
    Type.Null(),
  ]),
  terminal: Type.Union([Type.Object({ columns: Side, rows: Side }), Type.Null()]),
});

/** A console that somebody opens: the host connects it with the server that asks, see {@link consolePath}. */
export const ConsoleSchema = Type.Object({
  id: Uuid,
  instanceId: InstanceId,
  channel: Type.Enum([...consoleChannels]),
  exec: Type.Optional(Type.Union([ExecSchema, Type.Null()])),
  // Where that server is reached, if it can be from the host; any other server passes the connection on to it.
  serverUrl: Type.String(),
  ticket: Type.String(),
});
export type OfferedConsole = Static<typeof ConsoleSchema>;

/**
 * Where a host connects a console: a `GET` with `Upgrade: berth-console` and `Authorization: Bearer <ticket>`. Answered with
 * 101, the connection carries what is said and typed, as it is, until either end closes it; that of a command carries frames
 * ({@link file://./exec.ts}). A host that can't connect says
 * why in the query, as `refusal`, and is answered 204.
 */
export const consolePath = (id: string) => `/agent/v1/consoles/${id}`;

/** The protocol that such a connection is upgraded to. */
export const consoleProtocol = 'berth-console';

/** Of a refusal, this much is read. */
export const refusalLengthMax = 500;
