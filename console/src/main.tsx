// Where the console begins in a browser.

import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './query.ts';
import { router } from './router.tsx';
import { SessionGate } from './session.tsx';
import './style/tokens.css';
import './style/base.css';
import './style/form.css';
import './style/ui.css';
import './style/table.css';
import './style/over.css';
import './style/layout.css';
import './style/forced.css';
import { applyTheme } from './theme.ts';
import { Toasts } from './ui/toast.tsx';

const reloads = 'berth.reloads';
/** What loading the page anew so often within this time did not mend is told. */
const reloadsMax = 3;
const reloadsWithinMs = 30_000;

let isReloading = false;

/** Loads the page anew, unless that was done several times just now. @returns whether it does */
function loadAnew(): boolean {
  // What a page that is left does not get is no reason to load it once more.
  if (isReloading) return true;
  const now = Date.now();
  const stored = sessionStorage.getItem(reloads)?.split(' ').map(Number) ?? [];
  const recent = stored.filter((at) => now - at < reloadsWithinMs);
  if (recent.length >= reloadsMax) return false;
  sessionStorage.setItem(reloads, [...recent, now].join(' '));
  isReloading = true;
  location.reload();
  return true;
}

applyTheme();
// A newer console has taken the place of this one, whose parts are gone.
addEventListener('vite:preloadError', (event) => {
  if (loadAnew()) event.preventDefault();
});
// A browser drops what it is loading when the computer joins another network, and shows the page without its style sheet.
const isUnstyled = getComputedStyle(document.documentElement).getPropertyValue('--ground') === '';
const root = document.getElementById('root');
if (!root) throw new Error('The page has no #root.');
if (!isUnstyled || !loadAnew()) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <Toasts>
          <SessionGate>
            <RouterProvider router={router} />
          </SessionGate>
        </Toasts>
      </QueryClientProvider>
    </StrictMode>,
  );
}
