// What Caddy is told: which names lead to which containers, and where its certificates come from.

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

/** Where Caddy keeps what it must not lose, and listens for orders. */
export interface CaddyPlaces {
  storage: string;
  adminSocket: string;
}

const dialTimeout = '3s';
/** As many connections to a container are kept as its busiest clients need. */
const idleConnectionsMax = 256;

/** The whole configuration, as JSON. */
export function caddyConfig(options: IngressOptions, routes: Routes, places: CaddyPlaces, version: string): object {
  const names = [...routes.keys()].sort();
  const issuer = options.isPublic
    ? { module: 'acme', ...(options.email ? { email: options.email } : {}) }
    : { module: 'internal' };
  return {
    admin: { listen: `unix/${places.adminSocket}`, origins: ['localhost'], config: { persist: false } },
    logging: { logs: { default: { level: 'WARN', writer: { output: 'stderr' } } } },
    storage: { module: 'file_system', root: places.storage },
    apps: {
      http: {
        grace_period: '3600s',
        servers: {
          ingress: {
            listen: [`${options.address}:${options.port}`],
            automatic_https: { disable_redirects: !options.isPublic },
            tls_connection_policies: [{}],
            routes: [...names.map((name) => routeOf(name, routes.get(name) ?? '', version)), nothingHere],
            errors: { routes: [{ handle: [failure] }] },
          },
        },
      },
      tls: { automation: { policies: [{ issuers: [issuer] }] } },
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
        // What a container sends is passed on at once.
        flush_interval: -1,
        transport: {
          protocol: 'http',
          dial_timeout: dialTimeout,
          keep_alive: { enabled: true, max_idle_conns_per_host: idleConnectionsMax },
        },
        ...(keepsStreams(version) ? { stream_close_delay: '24h' } : {}),
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

/** From 2.7 on Caddy can keep WebSockets open while its configuration changes. */
function keepsStreams(version: string): boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 7);
}
