// Lines over time, or bars one upon the other, by uPlot, which is loaded with this module, where charts are shown.

import { useEffect, useMemo, useRef, useState } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

const heightPx = 200;

interface ChartProps {
  label: string;
  /** Seconds since 1970. */
  times: number[];
  lines: readonly { label: string; values: (number | null)[] }[];
  /** How a value is written. */
  write(value: number): string;
  /** What the axis reaches to at least. */
  max?: number | undefined;
  /** Whether the values are bytes. */
  ofBytes?: boolean | undefined;
  /** Whether they are parts of a whole, each for a period that begins at its time: bars, the first line at the bottom. */
  stacked?: boolean | undefined;
}

/** Steps of an axis of bytes: powers of two, as sizes are written. */
const byteSteps = Array.from({ length: 50 }, (_none, power) => 2 ** power);

/** A colour of the page's theme as it is within an element; a canvas knows no variables. */
function colourOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}

const dayS = 86_400;
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** How times stand at an axis: those of more than a day are days. */
function timesOf(seconds: readonly number[]): string[] {
  const isLong = (seconds.at(-1) ?? 0) - (seconds[0] ?? 0) > 2 * dayS;
  return seconds.map((second) => (isLong ? day : minute).format(second * 1000));
}

type Line = ChartProps['lines'][number];

/** Lines as they are drawn: of parts of a whole each with those below it, the highest first, so that none hides another. */
function drawnOf(lines: readonly Line[], stacked: boolean): (Line & { colour: number; raw: Line['values'] })[] {
  const drawn = lines.map((line, index) => ({ ...line, colour: index + 1, raw: line.values }));
  if (!stacked) return drawn;
  const below: number[] = [];
  for (const line of drawn) {
    line.values = line.raw.map((value, index) => {
      below[index] = (below[index] ?? 0) + (value ?? 0);
      return below[index] ?? 0;
    });
  }
  return drawn.reverse();
}

/** A bar's share of its period, and what it is at most in pixels. */
const barSize: [number, number] = [0.75, 56];

const lookOf = (colour: string, stacked: boolean) =>
  stacked && UPlot.paths.bars
    ? { stroke: colour, fill: colour, width: 0, paths: UPlot.paths.bars({ size: barSize }) }
    : { stroke: colour, width: 1.5 };

/** Room at both ends for a bar that stands on its time. */
function withRoom(times: readonly number[]): [number, number] {
  const [first = 0, second] = times;
  const half = second === undefined ? dayS / 2 : (second - first) / 2;
  return [first - half, (times.at(-1) ?? first) + half];
}

/** Counts the changes of the theme. */
function useTheme(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const tell = () => setCount((before) => before + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    const chosen = new MutationObserver(tell);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    system.addEventListener('change', tell);
    return () => {
      chosen.disconnect();
      system.removeEventListener('change', tell);
    };
  }, []);
  return count;
}

/** A chart. What it shows is in a table beside it, too, for who can't see it. */
export default function Chart({ label, times, lines, write, max, ofBytes = false, stacked = false }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(null);
  const writer = useRef(write);
  writer.current = write;
  const theme = useTheme();
  const names = lines.map((line) => line.label).join('\n');
  const drawn = useMemo(() => drawnOf(lines, stacked), [lines, stacked]);
  const latest = useRef(drawn);
  latest.current = drawn;
  const data = useRef<UPlot.AlignedData>([[]]);
  data.current = [times, ...drawn.map(({ values }) => values)];

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme is another chart
  useEffect(() => {
    const target = box.current;
    if (!target) return;
    const axis = {
      stroke: colourOf(target, '--text-soft'),
      grid: { stroke: colourOf(target, '--line'), width: 1 },
      ticks: { show: false },
    };
    const made = new UPlot(
      {
        ...{ width: target.clientWidth, height: heightPx },
        series: [
          {
            label: 'Time',
            value: (_plot: UPlot, time: number | null) => (time == null ? '–' : moment.format(time * 1000)),
          },
          ...latest.current.map(({ label: name, colour }, index) => ({
            label: name,
            ...lookOf(colourOf(target, `--chart-${colour}`), stacked),
            points: { show: false },
            value: (_plot: UPlot, _value: number | null, _series: number, at: number | null) => {
              const value = at === null ? null : latest.current[index]?.raw[at];
              return value == null ? '–' : writer.current(value);
            },
          })),
        ],
        axes: [
          { ...axis, values: (_plot, seconds) => timesOf(seconds) },
          {
            ...axis,
            size: 76,
            values: (_plot, values) => values.map((value) => writer.current(value)),
            ...(ofBytes ? { incrs: byteSteps } : {}),
          },
        ],
        scales: {
          ...(stacked ? { x: { range: (plot: UPlot) => withRoom(Array.from(plot.data[0])) } } : {}),
          y: { range: (_plot, low, high) => [Math.min(low ?? 0, 0), Math.max(high ?? 0, max ?? 0) * 1.05 || 1] },
        },
        cursor: { drag: { x: false, y: false } },
      },
      data.current,
      target,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height: heightPx }));
    resized.observe(target);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [names, max, ofBytes, stacked, theme]);

  useEffect(() => plot.current?.setData([times, ...drawn.map(({ values }) => values)]), [times, drawn]);

  return <div className="chart" role="img" aria-label={label} ref={box} />;
}
