// Doors: WebSockets to a VM's console and screen, and to a command in a container; and the tickets that open them where no header
// can be sent, as in web pages.

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { type Caller, callerAgain, type ShownRef } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { makeTicket, reachDoor, redeemTicket } from '../../app/door.ts';
import {
  commandWordLengthMax,
  commandWordsMax,
  type Door,
  doors,
  type ExecOrder,
  shellOrder,
  terminalSideMax,
} from '../../model/door.ts';
import { BerthError } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { letIn, requireUpgrade } from '../upgrade.ts';
import { authenticate, ownerOf } from './caller.ts';
import { requireOwnOrigin } from './cookie.ts';
import { readInstance } from './instance-ref.ts';
import { add, base, callerOf, change } from './operation.ts';
import { OneOf, Shape, Text, Time, toTime, Whole } from './shape.ts';

const side = (example: number, description: string) =>
  Whole(example, description, { minimum: 1, maximum: terminalSideMax });

const NewExec = Shape('NewExec', {
  command: Type.Optional(
    Type.Array(Text('ls', undefined, { maxLength: commandWordLengthMax }), {
      minItems: 1,
      maxItems: commandWordsMax,
      description: 'The program and what it is given; a login shell unless given',
      examples: [['ls', '-l']],
    }),
  ),
  tty: Type.Optional(
    Type.Boolean({ default: true, description: 'Whether it gets a terminal; else what it complains of comes apart' }),
  ),
  columns: Type.Optional(side(80, 'Of the terminal; 80 unless given')),
  rows: Type.Optional(side(24, 'Of the terminal; 24 unless given')),
});
const NewTicket = Shape('NewTicket', {
  door: OneOf(doors, 'A VM has `console` and `screen`, a container `exec`'),
  exec: Type.Optional(NewExec),
});
const TicketSchema = Shape('Ticket', {
  ticket: Text('ticket_Jc1iZQJ9bGkLQqjZk0Jx0c1yE7ZV1mYb0m9G3sVbX2Q', 'Opens the door once; not shown again'),
  expiresAt: Time('When it opens it no more'),
  url: Text(
    `${base}/instances/ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b/console?ticket=ticket_Jc1iZQJ9bGkLQqjZk0Jx0c1yE7ZV1mYb0m9G3sVbX2Q`,
    'Where the door is, with the ticket in it; to be resolved against where this API is reached, with `ws:` or `wss:`',
  ),
});

type GivenExec = { [Part in keyof Static<typeof NewExec>]?: Static<typeof NewExec>[Part] | undefined };

/** The order that a request's parts come to. @throws BerthError `unsupported` */
function orderOf(door: Door, given: GivenExec | undefined): ExecOrder | null {
  if (door !== 'exec') {
    if (given !== undefined) throw new BerthError('unsupported', `exec can't be given with door "${door}".`, 'exec');
    return null;
  }
  const { command = null, tty = true, columns, rows } = given ?? {};
  if (!tty && (columns !== undefined || rows !== undefined)) {
    const field = columns === undefined ? 'exec.rows' : 'exec.columns';
    throw new BerthError('unsupported', `${field} is of a terminal, and tty is false.`, field);
  }
  const { terminal } = shellOrder;
  return { command, terminal: tty ? { columns: columns ?? terminal.columns, rows: rows ?? terminal.rows } : null };
}

/** Adds the routes. */
export function doorRoutes(api: Api): void {
  change(
    api,
    {
      id: 'createTicket',
      tag: 'instances',
      summary: 'A ticket that opens one door of an instance, once, within 30 s',
      description:
        'For WebSockets of web pages, which can send no header. It lasts no longer than the key or session that made it.',
      method: 'POST',
      path: '/instances/{instance}/tickets',
      body: NewTicket,
      example: { body: { door: 'console' } },
      status: 201,
      result: TicketSchema,
      hasSecret: true,
      headers: () => ({ 'cache-control': 'no-store' }),
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params, body: { door, exec } }) => {
      const instanceId = readInstance(params.instance);
      await reachDoor(context, caller, instanceId, door, { instance: params.instance, field: 'door' });
      const made = await makeTicket(context, caller, { instanceId, door, exec: orderOf(door, exec) });
      const url = `${base}/instances/${params.instance}/${door}?ticket=${made.ticket}`;
      return { ticket: made.ticket, expiresAt: toTime(made.expiresAt), url };
    },
  );
  for (const door of doors) doorRoute(api, door);
}

const texts: Record<Door, { id: string; summary: string; description: string }> = {
  console: {
    id: 'openConsole',
    summary: "A VM's serial console, as a WebSocket",
    description:
      'Binary messages carry what is said and typed. It begins with the last 64 KiB, and is there while the VM is off.',
  },
  screen: {
    id: 'openScreen',
    summary: "A VM's screen, as a WebSocket",
    description:
      'Binary messages carry RFB 3.8, as noVNC speaks it, without a password. It is there while the VM is on.',
  },
  exec: {
    id: 'openExec',
    summary: 'A command in a container, as a WebSocket',
    description: [
      'A login shell in a terminal; a ticket says otherwise. Binary messages carry what it says and reads. Text messages are JSON: to it',
      '`{"type":"resize","columns","rows"}` and `{"type":"end"}`, which ends its input; from it `{"type":"stderr","data"}` (base64) where it',
      'has no terminal, and `{"type":"exit","code"}` at last.',
    ].join(' '),
  },
};
const closing = [
  'Closed with 4401 (not you any more), 4403 (may not), 4404 (gone), 4409 (not as things stand), 1001 (the server stops) or 1013 (too',
  'many), and a reason for people.',
].join(' ');

function doorRoute(api: Api, door: Door): void {
  const { context } = api;
  const { description, ...text } = texts[door];
  const isExec = door === 'exec';
  add(
    api,
    {
      ...{ ...text, tag: 'instances', path: `/instances/{instance}/${door}` },
      description: `${description} ${closing}`,
      door,
      refusals: ['cross_site', 'forbidden', 'unsupported', 'wrong_state'],
      // Each excludes the other.
      example: isExec ? { query: { columns: 120, rows: 40 } } : {},
    },
    {
      method: 'GET',
      headers: {},
      query: {
        ticket: Type.Optional(Type.String({ maxLength: 100, description: 'In the place of `Authorization`' })),
        ...(isExec
          ? {
              columns: Type.Optional(side(120, 'Of the terminal, without a ticket')),
              rows: Type.Optional(side(40, 'Of the terminal, without a ticket')),
            }
          : {}),
      },
      answers: { 101: { description: 'The WebSocket', type: 'null' } },
      isEndless: true,
      handler: async (request, reply) => {
        const { instance } = request.params as { instance: string };
        const caller = callerOf(request);
        const reach = (somebody: Caller) =>
          reachDoor(context, somebody, readInstance(instance), door, { instance, field: 'the door' });
        const place = await reach(caller);
        requireUpgrade(request);
        const { columns, rows } = request.query as { columns?: number; rows?: number };
        const shown = admissions.get(request);
        letIn(request, reply, {
          ...{ door, place, actor: caller.actor, owner: ownerOf(caller) },
          exec: shown ? shown.exec : orderOf(door, isExec ? { columns, rows } : undefined),
          async check() {
            await reach(
              shown ? await callerAgain(context, shown.ref, request.ip) : await authenticate(context, request),
            );
          },
        });
        return reply;
      },
    },
  );
}

/** Who has come with a ticket, and what it says. */
const admissions = new WeakMap<FastifyRequest, { ref: ShownRef; exec: ExecOrder | null }>();

/**
 * Who opens a door: whoever the ticket is of, or who sends the request as any other.
 * @throws BerthError `unauthenticated`, and `cross_site` where a page of another site asks
 */
export async function authenticateAtDoor(context: Context, request: FastifyRequest, door: Door): Promise<Caller> {
  requireOwnOrigin(request);
  const { ticket } = request.query as { ticket?: unknown };
  if (typeof ticket !== 'string') return authenticate(context, request);
  const { instance } = request.params as { instance: string };
  const instanceId = readInstance(instance);
  const { caller, ...shown } = await redeemTicket(context, ticket, { instanceId, door }, request.ip);
  admissions.set(request, shown);
  return caller;
}
