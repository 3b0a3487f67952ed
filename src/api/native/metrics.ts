// What instances and hosts use, as charts show it: a point for each step of a span of time, and the newest sample.

import Type, { type Static, type TSchema } from 'typebox';
import { requireCluster, seeInstance } from '../../app/access.ts';
import type { Context } from '../../app/context.ts';
import { showHost } from '../../app/host-terms.ts';
import { readSeries, type Series, type UsageAt } from '../../app/sample.ts';
import { parseMoment } from '../../model/moment.ts';
import { pointsMax, steps } from '../../model/sample.ts';
import type { Api } from '../types.ts';
import { readId } from './id.ts';
import { readInstance } from './instance-ref.ts';
import { read } from './operation.ts';
import { Nullable, Shape, Text, Time, toTime, Whole } from './shape.ts';

const spanMs = 60 * 60 * 1000;

const Step = Type.Unsafe<(typeof steps)[number]>({
  type: 'integer',
  enum: [...steps],
  description: `Seconds from one point to the next; left out, the finest of which ${pointsMax} points hold the span`,
  examples: [60],
});
const query = {
  from: Type.Optional(
    Text('2026-11-20T09:00:00Z', 'From the step on that this day or moment is in; an hour before `to` where left out', {
      maxLength: 40,
    }),
  ),
  to: Type.Optional(
    Text('2026-11-20T10:00:00Z', 'Up to before this day or moment; up to now where left out', { maxLength: 40 }),
  ),
  step: Type.Optional(Step),
};

const Amount = (example: number, description?: string) =>
  Nullable(Type.Number({ ...(description ? { description } : {}), minimum: 0, examples: [example] }));
const Bytes = (example: number, description?: string) => Nullable(Whole(example, description, { minimum: 0 }));

const networkParts = {
  networkReceiveBytesPerSecond: Bytes(120_000, 'Null where nobody counts it, as in the user network of a VM'),
  networkSendBytesPerSecond: Bytes(34_000),
};
const instanceParts = {
  at: Time('When its step begins'),
  cpu: Amount(
    0.75,
    'Processors on average, from 0 to the number of vcpus, and a little more for what emulates devices',
  ),
  memoryBytes: Bytes(1_073_741_824, "What it takes of its host's memory"),
  diskReadBytesPerSecond: Bytes(65_536),
  diskWriteBytesPerSecond: Bytes(262_144),
  diskReadsPerSecond: Amount(4),
  diskWritesPerSecond: Amount(12.5),
  ...networkParts,
};
const hostParts = {
  at: Time('When its step begins'),
  cpu: Amount(3.5, 'Cores on average'),
  memoryBytes: Bytes(17_179_869_184, 'What is not to be had any more, of all that the machine has'),
  diskBytes: Bytes(274_877_906_944, 'What is taken of the file system that instances lie on'),
  ...networkParts,
  instances: Amount(12, 'How many of its instances run'),
};

/** A series of points of one kind. */
const MetricsOf = <Point extends TSchema>(title: string, point: Point) =>
  Shape(title, {
    step: Whole(60, 'Seconds from one point to the next'),
    from: Time('When the first step begins'),
    points: Type.Array(point, {
      description: 'One for each step; one of which nothing is known is null but for its time',
    }),
    latest: Nullable(point),
  });
const InstancePointSchema = Shape('InstanceMetricsPoint', instanceParts);
const HostPointSchema = Shape('HostMetricsPoint', hostParts);

const whole = (value: number | null) => (value === null ? null : Math.round(value));
/** Counted and averaged numbers are good to three digits behind the point. */
const rounded = (value: number | null) => (value === null ? null : Math.round(value * 1_000) / 1_000);

const toNetwork = (point: UsageAt) => ({
  networkReceiveBytesPerSecond: whole(point.networkReceiveBytesPerSecond),
  networkSendBytesPerSecond: whole(point.networkSendBytesPerSecond),
});

const toInstancePoint = (point: UsageAt): Static<typeof InstancePointSchema> => ({
  at: toTime(point.at),
  cpu: rounded(point.cpu),
  memoryBytes: whole(point.memoryBytes),
  diskReadBytesPerSecond: whole(point.diskReadBytesPerSecond),
  diskWriteBytesPerSecond: whole(point.diskWriteBytesPerSecond),
  diskReadsPerSecond: rounded(point.diskReadsPerSecond),
  diskWritesPerSecond: rounded(point.diskWritesPerSecond),
  ...toNetwork(point),
});

const toHostPoint = (point: UsageAt): Static<typeof HostPointSchema> => ({
  at: toTime(point.at),
  cpu: rounded(point.cpu),
  memoryBytes: whole(point.memoryBytes),
  diskBytes: whole(point.diskBytes),
  ...toNetwork(point),
  instances: rounded(point.instances),
});

const toMetrics = <Point>({ step, from, points, latest }: Series, toPoint: (point: UsageAt) => Point) => ({
  ...{ step, from: toTime(from) },
  points: points.map(toPoint),
  latest: latest && toPoint(latest),
});

/** What a query asks for. @throws BerthError `invalid_value` */
function readRequest({ clock }: Context, query: { from?: string; to?: string; step?: (typeof steps)[number] }) {
  const to = query.to === undefined ? clock.now() : parseMoment(query.to, 'to');
  const from = query.from === undefined ? new Date(to.getTime() - spanMs) : parseMoment(query.from, 'from');
  return { from, to, step: query.step };
}

/** Adds the routes. */
export function metricsRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getInstanceMetrics',
      tag: 'instances',
      summary: 'What an instance used over a span of time',
      description:
        'Measured by its host every 10 seconds. These are kept for 2 hours, averages of 5 minutes for 8 days and of an hour for 90 days.',
      path: '/instances/{instance}/metrics',
      query,
      result: MetricsOf('InstanceMetrics', InstancePointSchema),
    },
    async ({ context, caller, params, query: asked }) => {
      const instance = await seeInstance(context, caller, readInstance(params.instance), params.instance);
      return toMetrics(
        await readSeries(context, { instanceId: instance.id }, readRequest(context, asked)),
        toInstancePoint,
      );
    },
  );

  read(
    api,
    {
      id: 'getHostMetrics',
      tag: 'hosts',
      isForOperators: true,
      summary: 'What a host used over a span of time',
      path: '/hosts/{host}/metrics',
      query,
      result: MetricsOf('HostMetrics', HostPointSchema),
    },
    async ({ context, caller, params, query: asked }) => {
      requireCluster(caller);
      const { id } = await showHost(context, readId('host', params.host));
      return toMetrics(await readSeries(context, { hostId: id }, readRequest(context, asked)), toHostPoint);
    },
  );
}
