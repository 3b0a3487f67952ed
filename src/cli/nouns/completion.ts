// `berth completion`: scripts that let a shell complete the commands. They are written out of the commands themselves, so that Tab
// needs no program for words and options; only values that a server knows are asked for.

import type { Noun, OfflineVerb } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { type Node, nodesOf, valuedFlags } from '../completion/grammar.ts';
import { valuesOf } from '../completion/values.ts';
import { zshScript } from '../completion/zsh.ts';

const shells: [shell: string, script: (nodes: readonly Node[], valued: readonly string[]) => string, where: string][] =
  [
    ['bash', bashScript, '/etc/bash_completion.d/berth'],
    ['zsh', zshScript, '/usr/local/share/zsh/site-functions/_berth'],
    ['fish', fishScript, '~/.config/fish/completions/berth.fish'],
  ];

/** A script for a shell. */
function scriptVerb([shell, script, where]: (typeof shells)[number]): OfflineVerb {
  return {
    usage: shell,
    description: `write the completion script of ${shell}`,
    operation: null,
    examples: [`completion ${shell} > ${where}`, shell === 'fish' ? 'completion fish | source' : `completion ${shell}`],
    async offline({ program }) {
      const text = script(nodesOf(program), valuedFlags(program));
      return { value: { shell, script: text }, text: () => text };
    },
  };
}

/** The `completion` commands. */
export const noun: Noun = {
  verbs: [
    ...shells.map(scriptVerb),
    {
      usage: 'values <KIND>',
      description: 'list what a value may be, for the scripts',
      detail: 'KIND is what the value names: vm, image, host ... Ends soon, and with nothing where nobody answers.',
      operation: null,
      examples: ['completion values vm', 'completion values image --profile work'],
      async offline(desk, [kind = '']) {
        const items = await valuesOf(desk, kind);
        return { value: { items }, text: () => items.map((one) => `${one}\n`).join('') };
      },
    },
  ],
};
