// How much of something is taken, as a bar with its figures.

interface BarProps {
  label: string;
  used: number;
  size: number;
  /** How a figure is written. */
  write?: (value: number) => string;
}

/** From here on there is little left. */
const littleLeftFrom = 0.85;

/** A bar. The figures say it all; the bar is for the eye. */
export function Bar({ label, used, size, write = String }: BarProps) {
  const share = size > 0 ? used / size : 0;
  return (
    <div className="bar">
      <p>
        <span>{label}</span>
        <span>
          {write(used)} of {write(size)}
        </span>
      </p>
      <div className={share >= littleLeftFrom ? 'bar-track bar-full' : 'bar-track'} aria-hidden="true">
        <div style={{ width: `${Math.min(1, share) * 100}%` }} />
      </div>
    </div>
  );
}
