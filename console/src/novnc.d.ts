// The types of noVNC are those of another way to import it.

declare module '@novnc/novnc' {
  export { default } from '@novnc/novnc/lib/rfb';
}
