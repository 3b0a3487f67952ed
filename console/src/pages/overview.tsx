// What one sees first.

import { Page } from '../ui/page.tsx';

/** The first page. */
export default function OverviewPage() {
  return (
    <Page title="Overview">
      <p className="fine">Health and spend.</p>
    </Page>
  );
}
