// Which page is shown for which path. Paths begin with /console, because what lies at the root belongs to the dialects. Each page is
// loaded when it is opened first.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { parseSearch, stringifySearch } from './filters.ts';
import { Shell } from './layout/shell.tsx';
import { Crashed, Loading, NoSuchPage } from './ui/state.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });

/** A page: a path, and the module whose default export is shown there. */
function page<const Path extends string>(path: Path, load: () => Promise<{ default: () => React.ReactNode }>) {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });
}

const routeTree = root.addChildren([
  page('/', () => import('./pages/overview.tsx')),
  page('/console', () => import('./pages/overview.tsx')),
  page('/console/accounts', () => import('./pages/accounts.tsx')),
  page('/console/accounts/$account', () => import('./pages/account.tsx')),
  page('/console/addresses', () => import('./pages/addresses.tsx')),
  page('/console/api-keys', () => import('./pages/api-keys.tsx')),
  page('/console/capacity', () => import('./pages/capacity.tsx')),
  page('/console/configurations', () => import('./pages/configurations.tsx')),
  page('/console/create', () => import('./pages/create.tsx')),
  page('/console/datacenters', () => import('./pages/datacenters.tsx')),
  page('/console/deployments', () => import('./pages/deployments.tsx')),
  page('/console/deployments/$deployment', () => import('./pages/deployment.tsx')),
  page('/console/events', () => import('./pages/events.tsx')),
  page('/console/free-slots', () => import('./pages/free-slots.tsx')),
  page('/console/groups', () => import('./pages/groups.tsx')),
  page('/console/hosts', () => import('./pages/hosts.tsx')),
  page('/console/hosts/$host', () => import('./pages/host/index.tsx')),
  page('/console/images', () => import('./pages/images.tsx')),
  page('/console/instances', () => import('./pages/instances.tsx')),
  page('/console/instances/$instance', () => import('./pages/instance/index.tsx')),
  page('/console/ledger', () => import('./pages/ledger.tsx')),
  page('/console/me', () => import('./pages/me/me.tsx')),
  page('/console/offers', () => import('./pages/offers.tsx')),
  page('/console/prices', () => import('./pages/prices.tsx')),
  page('/console/quotes', () => import('./pages/quotes.tsx')),
  page('/console/revenue', () => import('./pages/revenue.tsx')),
  page('/console/slots', () => import('./pages/slots.tsx')),
  page('/console/ssh-keys', () => import('./pages/ssh-keys.tsx')),
  page('/console/statement', () => import('./pages/statement.tsx')),
  page('/console/users', () => import('./pages/users.tsx')),
  page('/console/users/$user', () => import('./pages/user.tsx')),
  page('/console/webhooks', () => import('./pages/webhooks.tsx')),
  page('/console/webhooks/$webhook', () => import('./pages/webhook.tsx')),
]);

/** The one router of the page. */
export const router = createRouter({
  routeTree,
  ...{ parseSearch, stringifySearch },
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading what="Loading" />,
  defaultErrorComponent: ({ error }) => <Crashed error={error as Error} />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
