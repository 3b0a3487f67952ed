// An ingress on a machine without Caddy, which the test makes by hiding it from this process alone.

import { makeIngress } from './support.ts';

let told = 0;
const logger = {
  info: () => {
    told += 1;
  },
  warn: () => {},
};
const ingress = makeIngress(process.argv[2] ?? '', '127.48.0.4', { logger });
await ingress.open();
await ingress.change(() => new Map([['80-aaaaaaaaaaaaaaaa.localhost', '127.0.0.1:9']]));
console.log(JSON.stringify({ place: ingress.place, told }));
await ingress.destroy();
