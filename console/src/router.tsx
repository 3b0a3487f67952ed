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
  page('/console/instances', () => import('./pages/instances.tsx')),
  page('/console/instances/$instance', () => import('./pages/instance/index.tsx')),
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
