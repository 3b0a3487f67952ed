// What an instance has said: its last lines, those with a certain text in them, and on as it says more.

import { useEffect, useMemo, useRef, useState } from 'react';
import type { Instance, LogLine } from '../../../../sdk/generated/types.ts';
import { useFilters } from '../../filters.ts';
import { many } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { CheckField, TextField } from '../../ui/form.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure } from '../../ui/state.tsx';

/** It begins with so many, and keeps so many at most. */
const tail = 500;
const keptMax = 5_000;
/** Lines that come close together are shown together. */
const gatherMs = 100;

const names = ['find'] as const;

/** The lines that have come, and what has broken them off. */
function useLines(id: string, isFollowing: boolean) {
  const berth = useBerth();
  const [lines, setLines] = useState<LogLine[]>([]);
  const [error, setError] = useState<Error>();
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt begins anew
  useEffect(() => {
    const gone = new AbortController();
    setError(undefined);
    let come: LogLine[] = [];
    let isFirst = true;
    const show = () => {
      const added = come;
      come = [];
      if (added.length === 0 && !isFirst) return;
      const anew = isFirst;
      isFirst = false;
      setLines((before) => [...(anew ? [] : before), ...added].slice(-keptMax));
    };
    const timer = setInterval(show, gatherMs);
    const read = async () => {
      if (!isFollowing) {
        come = (await berth.instances.getLogs(id, { tail }, { signal: gone.signal })).items;
        return show();
      }
      for await (const line of berth.instances.followLogs(id, { tail }, { signal: gone.signal })) come.push(line);
      show();
    };
    read().catch((caught: unknown) => {
      if (!gone.signal.aborted) setError(caught as Error);
    });
    return () => {
      gone.abort();
      clearInterval(timer);
    };
  }, [berth, id, isFollowing, attempt]);
  return { lines, error, retry: () => setAttempt(attempt + 1) };
}

/** The part of an instance's page with its log. */
export default function Logs({ instance: { id, name, kind } }: { instance: Instance }) {
  const [isFollowing, setFollowing] = useState(true);
  const [{ find }, narrow] = useFilters(names);
  const { lines, error, retry } = useLines(id, isFollowing);
  const shown = useMemo(() => {
    const wanted = find.toLowerCase();
    return wanted === '' ? lines : lines.filter(({ line }) => line.toLowerCase().includes(wanted));
  }, [lines, find]);
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what it is about
  useEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, isFollowing]);
  return (
    <Section title={kind === 'vm' ? 'What was noted about it' : 'Output'}>
      <div className="filters">
        <TextField label="Only lines with" type="search" value={find} onChange={(value) => narrow({ find: value })} />
        <CheckField label="Follow" checked={isFollowing} onChange={setFollowing} />
        {!isFollowing && <Button onClick={retry}>Read again</Button>}
      </div>
      {error && <Failure error={error} onRetry={retry} />}
      {shown.length === 0 && !error && (
        <Empty title="No lines">
          <p>{find ? 'None of the lines that it has said is like that.' : 'It has said nothing yet.'}</p>
        </Empty>
      )}
      {shown.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        <div className="log" ref={box} role="log" aria-label={`Log of ${name}`} tabIndex={0}>
          {shown.map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name, and only come at the end
            <Line key={index} line={line} />
          ))}
        </div>
      )}
      <p className="fine under-list">{many(shown.length, 'line')}</p>
    </Section>
  );
}

const Line = ({ line: { timestamp, stream, line } }: { line: LogLine }) => (
  <p className={`log-${stream}`}>
    <time dateTime={timestamp}>{timestamp.slice(0, 19).replace('T', ' ')}</time>{' '}
    {stream !== 'stdout' && <b>{stream}</b>} <span>{line}</span>
  </p>
);
