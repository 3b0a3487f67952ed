// Prometheus metrics. `berth_drift` is the one to watch: how many things are not as they should be, 0 when all is well.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { App } from './types.ts';

/** All metrics of one server. */
export interface Metrics {
  registry: Registry;
  drift: Gauge<'kind'>;
  instances: Gauge<'status'>;
  requests: Counter<'method' | 'route' | 'status'>;
  requestSeconds: Histogram<'method' | 'route'>;
}

/** Makes the metrics of one server. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    drift: new Gauge({
      name: 'berth_drift',
      help: 'Things that are not as they should be, by kind',
      labelNames: ['kind'],
      registers,
    }),
    instances: new Gauge({ name: 'berth_instances', help: 'Instances by status', labelNames: ['status'], registers }),
    requests: new Counter({
      name: 'berth_http_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'berth_http_request_duration_seconds',
      help: 'How long requests took',
      labelNames: ['method', 'route'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
      registers,
    }),
  };
}

/** Counts every request that is answered, by route and not by path, so that the number of series is bounded. */
export function countRequests(app: App, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'none' };
    metrics.requests.inc({ ...labels, status: reply.statusCode });
    metrics.requestSeconds.observe(labels, reply.elapsedTime / 1000);
  });
}

/** Adds the route that Prometheus reads. */
export function metricsRoutes(app: App, metrics: Metrics): void {
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
