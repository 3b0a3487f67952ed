// The market: what can be rented now, where, on what, and for how much.

import { Link } from '@tanstack/react-router';
import { useDeferredValue } from 'react';
import { InvalidError } from '../../../sdk/error.ts';
import { useFilters } from '../filters.ts';
import { createPath } from '../paths.ts';
import { useBerth } from '../session.tsx';
import { useList } from '../ui/list.tsx';
import { Page, Section } from '../ui/page.tsx';
import { askedNames, toQuery } from './offers/asked.ts';
import { Explanation } from './offers/explanation.tsx';
import { HeatMap } from './offers/heat-map.tsx';
import { Results } from './offers/results.tsx';
import { SearchForm } from './offers/search-form.tsx';
import './offers/offers.css';

/** The page. */
export default function OffersPage() {
  const berth = useBerth();
  const [asked, ask] = useFilters(askedNames);
  const query = toQuery(useDeferredValue(asked));
  const list = useList(['offers', 'list', query], () => berth.offers.list({ ...query, limit: 100 }));
  // What is wrong with a field stands at the field.
  const isOfField = list.error instanceof InvalidError && list.error.problem.parameter !== undefined;
  return (
    <Page
      title="Market"
      actions={
        <Link className="button" to={createPath} search={{ kind: 'container' } as never}>
          Rent a slot for a container
        </Link>
      }
    >
      <SearchForm asked={asked} ask={ask} error={list.error} />
      <Section title="What is free where">
        <HeatMap asked={asked} ask={ask} />
      </Section>
      {isOfField ? (
        <p className="note">No offers can be looked for before what is marked above is right: {list.error?.message}</p>
      ) : (
        <Results list={list} asked={asked} empty={<Explanation asked={asked} ask={ask} />} />
      )}
    </Page>
  );
}
