// What the package gives its users.

export { Berth } from './berth.ts';
export { Door, type DoorEnd, type DoorOptions, TerminalDoor } from './doors.ts';
export * from './error.ts';
export type { FeedOptions, FeedQuery } from './feed.ts';
export type * from './generated/types.ts';
export { UnreachableError, type UntilOptions } from './instances.ts';
export type { Page, Pages } from './pages.ts';
export type { ChangeOptions, Options, TransportOptions } from './transport.ts';
