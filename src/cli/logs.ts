// What an instance says, line by line: at once, or as it is said.

import type { Instance, LogLine } from '../../sdk/generated/types.ts';
import { type Desk, option, type Verb } from './command.ts';
import { find, type Kind } from './find.ts';
import { plainJson, plainText } from './table.ts';
import { wholeNumber } from './units.ts';

interface LogOptions {
  follow?: boolean;
  tail?: number;
  since?: string;
  timestamps?: boolean;
  source?: 'system' | 'container';
}

/** The verb `logs`. */
export function logsVerb(usage: string, description: string, kind: Kind<Instance>, examples: readonly string[]): Verb {
  return {
    ...{ usage, description, examples },
    detail: 'With --follow and --json, each line is a JSON object of its own.',
    operation: 'getLogs',
    options: [
      option('-f, --follow', 'go on as it is said, until the instance ends'),
      option('-n, --tail <N>', 'the last so many lines; 100 unless given', wholeNumber),
      option('--since <TIME>', 'only from then on: 10m, or a time'),
      option('-t, --timestamps', 'with the time of each line'),
      option('--source <SOURCE>', 'what was noted about it, or its own output').choices(['system', 'container']),
    ],
    async run(desk, [text = ''], { follow, timestamps = false, ...query }: LogOptions) {
      const { id, name } = await find(desk, kind, text);
      if (!follow) {
        const value = await desk.berth.instances.getLogs(id, query);
        return { value, text: () => value.items.map((line) => lineText(line, timestamps)).join('') };
      }
      desk.goesOn = `Stopped following; ${name} goes on.`;
      for await (const line of desk.berth.instances.followLogs(id, query, { signal: desk.signal })) {
        writeLine(desk, line, timestamps);
      }
      return undefined;
    },
  };
}

function writeLine({ out, json }: Desk, line: LogLine, timestamps: boolean): void {
  out.write(json ? `${plainJson(line)}\n` : lineText(line, timestamps));
}

/** Tabs are kept; what would move the cursor is not. */
const lineText = ({ timestamp, line }: LogLine, timestamps: boolean): string =>
  `${timestamps ? `${timestamp} ` : ''}${line.split('\t').map(plainText).join('\t')}\n`;
