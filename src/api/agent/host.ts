// The agent's API: enrol, poll, report.

import Type from 'typebox';
import { enrol, pollAssignments } from '../../app/host.ts';
import { readImagingSecrets } from '../../app/imaging-secret.ts';
import { readRegistryAuth } from '../../app/registry-auth.ts';
import { acceptReport } from '../../app/report.ts';
import { acceptSamples } from '../../app/sample.ts';
import type { Api } from '../types.ts';
import { hostOf } from './authenticate.ts';
import { EnrolledSchema, EnrolSchema } from './contract/inventory.ts';
import { AssignmentsSchema, pollSecondsMax } from './contract/order.ts';
import { ReportSchema } from './contract/report.ts';
import { SamplesSchema } from './contract/sample.ts';
import { ImagingSecretsSchema, RegistryAuthSchema } from './contract/secret.ts';

/** A report of two thousand instances and events, at the longest messages, stays below this. */
const reportBytesMax = 8 * 1024 * 1024;

/** Samples of two thousand instances stay below this. */
const samplesBytesMax = 2 * 1024 * 1024;

const PollQuery = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: pollSecondsMax })),
});

/** Adds the routes. */
export function hostRoutes({ app, context, errors }: Api): void {
  app.post(
    '/agent/v1/enrol',
    {
      schema: {
        operationId: 'enrolAgent',
        summary: 'Exchange a one-time token for a credential',
        body: EnrolSchema,
        response: { 200: EnrolledSchema, ...errors(400, 401) },
      },
    },
    async (request) => enrol(context, request.body.token, request.body.inventory),
  );

  app.get(
    '/agent/v1/assignments',
    {
      schema: {
        operationId: 'pollAssignments',
        summary: 'What changed on this host after a revision, or everything',
        querystring: PollQuery,
        response: { 200: AssignmentsSchema, ...errors(400, 401) },
      },
    },
    async (request, reply) => {
      const hostId = await hostOf(context, request);
      const { after, wait = 0 } = request.query;
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const since = after === undefined ? undefined : BigInt(after);
      return pollAssignments(context, hostId, since, wait * 1000, gone.signal);
    },
  );

  app.get(
    '/agent/v1/instances/:id/registry-auth',
    {
      schema: {
        operationId: 'readRegistryAuth',
        summary: "The login that goes with a container's image",
        params: Type.Object({ id: Type.String() }),
        response: { 200: RegistryAuthSchema, ...errors(401, 404) },
      },
    },
    async (request) => ({ auth: await readRegistryAuth(context, await hostOf(context, request), request.params.id) }),
  );

  app.get(
    '/agent/v1/instances/:id/imaging-secrets',
    {
      schema: {
        operationId: 'readImagingSecrets',
        summary: 'What the guest of a newly imaged VM is told, and nobody else',
        params: Type.Object({ id: Type.String() }),
        response: { 200: ImagingSecretsSchema, ...errors(401, 404) },
      },
    },
    async (request) => ({
      secrets: await readImagingSecrets(context, await hostOf(context, request), request.params.id),
    }),
  );

  app.post(
    '/agent/v1/reports',
    {
      bodyLimit: reportBytesMax,
      schema: {
        operationId: 'sendReport',
        summary: 'What the host sees; answered with an acknowledgement',
        body: ReportSchema,
        response: { 200: Type.Object({}), ...errors(400, 401) },
      },
    },
    async (request) => {
      await acceptReport(context, await hostOf(context, request), request.body);
      return {};
    },
  );

  app.post(
    '/agent/v1/samples',
    {
      bodyLimit: samplesBytesMax,
      schema: {
        operationId: 'sendSamples',
        summary: 'What the host has measured; answered with an acknowledgement',
        body: SamplesSchema,
        response: { 200: Type.Object({}), ...errors(400, 401) },
      },
    },
    async (request) => {
      await acceptSamples(context, await hostOf(context, request), request.body);
      return {};
    },
  );
}
