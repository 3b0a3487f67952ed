// What a host has measured of itself and of its instances. A call of its own: what should be and what is do without it, and a
// server that does not know it yet goes on as before.

import Type, { type Static } from 'typebox';
import { InstanceId } from './field.ts';
import { reportItemsMax } from './report.ts';

/** How old samples may be that are taken, in milliseconds; what could not be sent by then is left a hole. */
export const sampleAgeMsMax = 30_000;

/** A number that is nothing a database would stumble over; whatever is measured is far below. */
const Amount = Type.Optional(Type.Union([Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()]));

const Shared = {
  // Processors, on average since the sample before.
  cpu: Amount,
  memoryBytes: Amount,
  networkReceiveBytesPerSecond: Amount,
  networkSendBytesPerSecond: Amount,
};

/** What one instance used since the sample before; what is left out, or null, is not known. */
export const InstanceSampleSchema = Type.Object({
  instanceId: InstanceId,
  ...Shared,
  diskReadBytesPerSecond: Amount,
  diskWriteBytesPerSecond: Amount,
  diskReadsPerSecond: Amount,
  diskWritesPerSecond: Amount,
});
export type InstanceSample = Static<typeof InstanceSampleSchema>;

/** What the host itself used. */
export const HostSampleSchema = Type.Object({ ...Shared, diskBytes: Amount, instances: Amount });
export type HostSample = Static<typeof HostSampleSchema>;

/** What a host has measured at one moment; one with more instances than fit sends several. */
export const SamplesSchema = Type.Object({
  ageMs: Type.Integer({ minimum: 0, maximum: sampleAgeMsMax }),
  host: Type.Optional(HostSampleSchema),
  instances: Type.Array(InstanceSampleSchema, { maxItems: reportItemsMax }),
});
export type Samples = Static<typeof SamplesSchema>;
