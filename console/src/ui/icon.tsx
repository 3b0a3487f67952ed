// Icons, drawn with strokes in the colour of the text. They say nothing that a word beside them does not.

const paths = {
  account: 'M4 21V8l8-5 8 5v13M9 21v-6h6v6',
  address: 'M12 21s7-6.500 7-11a7 7 0 1 0-14 0c0 4.500 7 11 7 11M12 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5',
  backup: 'M4 12a8 8 0 1 0 3-6.2M4 4v4h4M12 8v5l3 2',
  chart: 'M4 20V4M4 20h16M8 16v-5M12 16V8M16 16v-3',
  check: 'M5 12l5 5 9-10',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  deployment: 'M3 3h10v10H3zM7 17h10V7M11 21h10V11',
  disk: 'M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0',
  event: 'M12 8v4l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  group: 'M4 7h6v6H4zM14 4h6v6h-6zM14 14h6v6h-6z',
  home: 'M4 11l8-7 8 7v9H4zM10 20v-6h4v6',
  host: 'M4 4h16v7H4zM4 13h16v7H4zM8 7.5h.01M8 16.5h.01',
  image: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  instance: 'M4 5h16v11H4zM9 20h6M12 16v4',
  key: 'M14 10a4 4 0 1 0-3.5 4L12 12.5h2V10.5h2L20 7V4h-3l-4 4',
  lock: 'M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3',
  market:
    'M3 9l2-5h14l2 5M5 9v11h14V9M3 9c0 3 4.500 3 4.500 0 0 3 4.500 3 4.500 0 0 3 4.500 3 4.500 0 0 3 4.500 3 4.500 0M10 20v-5h4v5',
  menu: 'M4 6h16M4 12h16M4 18h16',
  money: 'M12 3v18M16 7c-1-1.500-7-2.500-7 1s7 2.500 7 6-7 3-8 1',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  play: 'M7 4l13 8-13 8z',
  plus: 'M12 5v14M5 12h14',
  slot: 'M4 4h16v16H4zM9 9h6v6H9zM9 1v3M15 1v3M9 20v3M15 20v3M1 9h3M1 15h3M20 9h3M20 15h3',
  stop: 'M6 6h12v12H6z',
  user: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 21c0-8 16-8 16 0',
  webhook: 'M9 8a3 3 0 1 1 4 3l-3 5M6 13a3 3 0 1 0 3 4h6M15 13a3 3 0 1 1-1 5',
} as const;

/** Which icons there are. */
export type IconName = keyof typeof paths;

/** An icon of 1.25 em. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d={paths[name]} />
  </svg>
);
