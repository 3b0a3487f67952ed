// Completion for fish.

import type { Node } from './grammar.ts';
import { kindsOf, quoted } from './script.ts';

/** fish knows of backslashes between single quotes. */
const fishQuoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** The script. @param valued the flags that a value follows */
export function fishScript(nodes: readonly Node[], valued: readonly string[]): string {
  const words = nodes.map(({ path, next }) => {
    const lines = next.map(([word, meaning]) => fishQuoted(`${word}\t${meaning}`)).join(' ');
    return `        case ${fishQuoted(path)}\n            printf '%s\\n' ${lines}`;
  });
  const kinds = kindsOf(nodes).map(
    ([patterns, kind]) => `        case ${patterns.map(quoted).join(' ')}\n            set kind ${fishQuoted(kind)}`,
  );
  return `# Completion of berth for fish: berth completion fish > ~/.config/fish/completions/berth.fish
set -g __berth_paths ${nodes.flatMap(({ path }) => (path ? [quoted(path)] : [])).join(' ')}
set -g __berth_valued ${valued.join(' ')}
function __berth_complete
    set -l path ''
    set -l previous ''
    set -l skip 0
    set -l count 0
    set -l kind ''
    set -l current (commandline -ct)
    for word in (commandline -opc)[2..-1]
        set previous ''
        if test $skip = 1
            set skip 0
            continue
        end
        if string match -q -- '-*' $word
            if contains -- $word $__berth_valued
                set skip 1
                set previous $word
            end
            continue
        end
        set -l longer (string trim "$path $word")
        if contains -- $longer $__berth_paths
            set path $longer
        else
            set count (math $count + 1)
        end
    end
    set -l place "$path $count"
    test -n "$previous"; and set place "$path $previous"
    switch $place
${kinds.join('\n')}
    end
    switch $kind
        case ''
        case '=*'
            string split ' ' (string sub -s 2 -- $kind)
        case /
            __fish_complete_path $current
        case '*'
            berth completion values $kind 2>/dev/null
            test $kind = ssh-key; and __fish_complete_path $current
    end
    test -n "$previous"; and return
    test -z "$kind"; or string match -q -- '-*' $current; or return
    switch $path
${words.join('\n')}
    end
end
complete -c berth -f -a '(__berth_complete)'
`;
}
