// What Caddy is told: which names lead to which containers, and where its certificates come from.

import { adminSocket } from './admin.ts';

/** How a host's ingress is reached. */
export interface IngressOptions {
  /** Names are made below it. */
  domain: string;
  /** Where it listens, such as `127.0.0.1`; empty for every address. */
  address: string;
  port: number;
  /** Certificates come from a public authority, for which the names must lead here from the internet; else from Caddy's own. */
  isPublic: boolean;
  /** Whom the public authority may write to. */
  email: string | null;
}

/** Where one name leads: the address and port of a container. */
export type Routes = ReadonlyMap<string, string>;

/** Caddy's own folders: what it must not lose, and where it works. */
export interface CaddyPlaces {
  storage: string;
  run: string;
}

const publicPort = 443;
const dialTimeout = '3s';
/** Who sends no request in this time is not sending one. Its body may take as long as it likes. */
const headerTimeout = '30s';
const idleTimeout = '2m';
/** As many connections to a container are kept as its busiest clients need. */
const idleConnectionsMax = 256;

/** The whole configuration, as JSON. */
export function caddyConfig(options: IngressOptions, routes: Routes, places: CaddyPlaces, version: string): object {
  const names = [...routes.keys()].sort();
  const issuer = options.isPublic
    ? { module: 'acme', ...(options.email ? { email: options.email } : {}) }
    : { module: 'internal' };
  // A policy without subjects would be for every name that anybody asks for.
  const policy = { subjects: names, issuers: [issuer], ...(isOld(version) ? onDemand : {}) };
  return {
    admin: { listen: `unix/${adminSocket}`, origins: ['localhost'], config: { persist: false } },
    // Who asked a container for what, and that it did not answer, is its customer's business.
    logging: { logs: { default: { level: 'WARN', exclude: ['http.log', 'http.handlers'], writer: log(places) } } },
    storage: { module: 'file_system', root: places.storage },
    apps: {
      http: {
        // Only its end waits for requests that are under way; a change lets them go on.
        grace_period: '5s',
        servers: {
          ingress: {
            listen: [`${options.address}:${options.port}`],
            // HTTP/3 needs a port of UDP as well, which nobody has made sure is free.
            protocols: ['h1', 'h2'],
            read_header_timeout: headerTimeout,
            idle_timeout: idleTimeout,
            automatic_https: { disable_redirects: !options.isPublic || options.port !== publicPort },
            tls_connection_policies: [{}],
            routes: [...names.map((name) => routeOf(name, routes.get(name) ?? '', version)), nothingHere],
            errors: { routes: [{ handle: [failure] }] },
          },
        },
      },
      tls: { automation: { policies: names.length === 0 ? [] : [policy] } },
      pki: { certificate_authorities: { local: { install_trust: false, name: 'Berth' } } },
    },
  };
}

function routeOf(name: string, upstream: string, version: string): object {
  return {
    match: [{ host: [name] }],
    terminal: true,
    handle: [
      {
        handler: 'reverse_proxy',
        upstreams: [{ dial: upstream }],
        // No flush_interval: answers of unknown length are passed on at once anyway, and with it a change of any name's route
        // cuts every answer short (seen with 2.6.2).
        transport: {
          protocol: 'http',
          dial_timeout: dialTimeout,
          keep_alive: { enabled: true, max_idle_conns_per_host: idleConnectionsMax },
        },
        ...(isOld(version) ? {} : { stream_close_delay: '24h' }),
      },
    ],
  };
}

const nothingHere = {
  handle: [{ handler: 'static_response', status_code: 404, body: 'There is no such deployment here.\n' }],
};
const failure = {
  handler: 'static_response',
  status_code: '{http.error.status_code}',
  body: 'The deployment does not answer.\n',
};

/** A log that can't fill the disk. */
const log = ({ run }: CaddyPlaces) => ({
  output: 'file',
  filename: `${run}/caddy.log`,
  roll_size_mb: 5,
  roll_keep: 1,
  roll_gzip: false,
});

/**
 * Before 2.7 Caddy turns clients of every name away while a change reads all certificates anew (69 of 2,500 handshakes in 120
 * changes), unless it may read, or make, each when it is asked for: for these names only.
 */
const onDemand = { on_demand: true };

/** Whether this Caddy is from before 2.7, which keeps certificates and, asked to, WebSockets while it is changed. */
function isOld(version: string): boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) < 2 || (Number(major) === 2 && Number(minor) < 7);
}
