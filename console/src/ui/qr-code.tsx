// A text as a QR code, drawn by React alone: the page's policy takes no markup and no style from anybody else.

import { encode } from 'uqr';

interface QrCodeProps {
  text: string;
  /** What it says and where that stands in letters, for who can't scan it. */
  label: string;
}

/** Cells that are left free around it, as ISO/IEC 18004 asks for. */
const borderCells = 4;

/** The code, dark on light in either theme: many cameras take no other. */
export function QrCode({ text, label }: QrCodeProps) {
  const { data, size } = encode(text, { ecc: 'M', border: borderCells });
  return (
    <svg className="qr-code" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={cellsPath(data)} fill="#000" />
    </svg>
  );
}

/** The dark cells as one path, each run of a row as a rectangle: a thousand elements would do it, too. */
function cellsPath(rows: readonly (readonly boolean[])[]): string {
  const runs = rows.flatMap((cells, y) =>
    cells.flatMap((isDark, x) => {
      if (!isDark || cells[x - 1]) return [];
      const end = cells.indexOf(false, x);
      return `M${x} ${y}h${(end < 0 ? cells.length : end) - x}v1H${x}z`;
    }),
  );
  return runs.join('');
}
