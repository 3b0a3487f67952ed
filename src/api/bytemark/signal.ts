// Bytemark's call that presses a VM's buttons and keys. Clients send the signal as a body; the documentation also shows it in
// the query.

import Type from 'typebox';
import { reachVm } from '../../app/access.ts';
import { act } from '../../app/act.ts';
import type { Act } from '../../model/act.ts';
import { InvalidFields } from '../../model/errors.ts';
import { parseChord } from '../../model/machine.ts';
import { notListed } from '../../model/vm.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { VmParams, vmPath } from './path.ts';

/** What is sent, as it is repeated in the answer. */
interface Signal {
  signal: string;
  data?: string;
}

const blank = "can't be blank";

const SignalSchema = Type.Object({ signal: Type.String(), data: Type.Optional(Type.String()) });
const SignalQuery = Type.Partial(SignalSchema);

/** Adds the route. */
export function signalRoutes({ app, context, errors }: Api): void {
  app.post(
    `${vmPath}/signal`,
    {
      schema: {
        operationId: 'signalVirtualMachine',
        summary: 'Press the power button or the reset button of a virtual machine that is on, or keys of its keyboard',
        params: VmParams,
        querystring: SignalQuery,
        response: { 200: SignalSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { principal, vm } = await reachVm(context, caller, request.params, 'vm_admin');
      const signal = readSignal(request.query, request.body);
      await act(context, principal, vm, toAct(signal));
      return signal;
    },
  );
}

/** @throws BerthError `malformed`, InvalidFields */
function readSignal(query: Partial<Signal>, body: unknown): Signal {
  const attributes = attributesOf(body);
  const signal = attributes.filledText('signal') ?? query.signal ?? '';
  const data = attributes.filledText('data') ?? query.data;
  attributes.requireReadable();
  return { signal, ...(data === undefined ? {} : { data }) };
}

/** @throws InvalidFields where there is no such signal, or no such keys */
function toAct({ signal, data = '' }: Signal): Act {
  if (signal === 'powerdown' || signal === 'reset') return { kind: signal };
  if (signal !== 'sendkey') throw new InvalidFields({ signal: [signal === '' ? blank : notListed] });
  const keys = parseChord(data);
  if (!keys) throw new InvalidFields({ data: [data === '' ? blank : notListed] });
  return { kind: signal, keys };
}
