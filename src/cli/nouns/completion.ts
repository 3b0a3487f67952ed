// `berth completion`: scripts that let a shell complete the commands. They are written out of the commands themselves, so that Tab
// needs no program for words and options; only names of instances are asked for.

import type { Command } from 'commander';
import type { OfflineVerb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { addClientCommands, allNouns, emptyProgram } from '../program.ts';

/** One command with what can come after it. */
interface Node {
  /** The words that name it, without `berth`. */
  words: string;
  /** What can come next, with what each means. */
  next: [word: string, meaning: string][];
  /** The command that lists what its first argument may be; empty where nobody knows. */
  names: string;
}

/** What lists the names that an argument may have, by the argument's name. */
const listers: Readonly<Record<string, string>> = {
  vm: 'vm list --names',
  container: 'ct list --names',
};

function nodesOf(command: Command, words: string[]): Node[] {
  const subcommands = command.commands.map((one): [string, string] => [one.name(), one.description()]);
  const options = command.options.flatMap(({ long, description }): [string, string][] =>
    long ? [[long, description]] : [],
  );
  const [first] = command.registeredArguments;
  const names = first ? (listers[first.name().toLowerCase()] ?? '') : '';
  return [
    { words: words.join(' '), next: [...subcommands, ...options], names },
    ...command.commands.flatMap((one) => nodesOf(one, [...words, one.name()])),
  ];
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ words, next, names }) =>
      `    ${quoted(words)}) words=${quoted(next.map(([word]) => word).join(' '))}; names=${quoted(names)} ;;`,
  );
  return `# Completion of berth for bash: source <(berth completion bash)
_berth() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' names='' word count=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && break
    case " $_berth_paths " in
      *" \${path:+\${path// /\\/}/}$word "*) path="\${path:+$path }$word" ;;
      *) count=$((count + 1)) ;;
    esac
  done
  case $path in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n $names && $count -eq 0 && $current != -* ]]; then
    # What a server says is taken letter by letter: compgen -W would run what stands in it.
    while IFS= read -r word; do
      [[ $word == "$current"* ]] && COMPREPLY+=("$(printf %q "$word")")
    done < <(berth $names 2>/dev/null)
  fi
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
_berth_paths=${quoted(nodes.map(({ words }) => words.replaceAll(' ', '/')).join(' '))}
complete -F _berth berth ./berth
`;
}

function zsh(nodes: readonly Node[]): string {
  const colonless = (text: string) => text.replaceAll(':', '\\:');
  const cases = nodes.map(({ words, next, names }) => {
    const items = next.map(([word, meaning]) => quoted(`${colonless(word)}:${meaning}`)).join(' ');
    return `    ${quoted(words)}) items=(${items}); names=${quoted(names)} ;;`;
  });
  return `#compdef berth
# Completion of berth for zsh: berth completion zsh > /usr/local/share/zsh/site-functions/_berth
_berth() {
  local where='' names='' word i
  local -a items found
  local -A paths
  paths=(${nodes.map(({ words }) => `${quoted(words || '/')} 1`).join(' ')})
  integer count=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    [[ $word == -* ]] && break
    if [[ -n $paths[\${where:+$where }$word] ]]; then where="\${where:+$where }$word"; else count=$((count + 1)); fi
  done
  case $where in
${cases.join('\n')}
  esac
  _describe 'berth' items
  if [[ -n $names && $count -eq 0 ]]; then
    found=(\${(f)"$(berth \${=names} 2>/dev/null)"})
    compadd -a found
  fi
  _files
}
if [[ $funcstack[1] == _berth ]]; then _berth "$@"; else compdef _berth berth; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ words, next, names }) => {
    const when = `-n ${quoted(`test (__berth_path) = "${words}"`)}`;
    return [
      ...next.map(([word, meaning]) =>
        word.startsWith('--')
          ? `complete -c berth ${when} -l ${word.slice(2)} -d ${quoted(meaning)}`
          : `complete -c berth ${when} -f -a ${word} -d ${quoted(meaning)}`,
      ),
      ...(names ? [`complete -c berth ${when} -f -a ${quoted(`(berth ${names} 2>/dev/null)`)}`] : []),
    ];
  });
  return `# Completion of berth for fish: berth completion fish > ~/.config/fish/completions/berth.fish
function __berth_path
  set -l path ""
  set -l paths ${nodes.flatMap(({ words }) => (words ? [quoted(words)] : [])).join(' ')}
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and break
    set -l longer (string trim "$path $word")
    contains -- $longer $paths; and set path $longer
  end
  echo $path
end
${lines.join('\n')}
`;
}

/** What the program has beside the clients' commands; their options are in their help. */
const installation: readonly [name: string, meaning: string][] = [
  ['up', 'run everything on this machine'],
  ['server', 'run a server alone'],
  ['agent', 'run an agent alone'],
  ['demo', 'show a VM or a container'],
  ['local', "act on an installation's database itself"],
];

const shells: Readonly<Record<string, (nodes: readonly Node[]) => string>> = { bash, zsh, fish };

/** The `completion` command. */
export const verb: OfflineVerb = {
  usage: 'completion <SHELL>',
  description: 'write the completion script of bash, zsh or fish',
  operation: null,
  examples: [
    'completion bash > /etc/bash_completion.d/berth',
    'completion zsh > /usr/local/share/zsh/site-functions/_berth',
    'completion fish > ~/.config/fish/completions/berth.fish',
  ],
  async offline(desk, [shell = '']) {
    const write = shells[shell];
    if (!write)
      throw new UsageError(`There is no completion for "${shell}"; there is ${Object.keys(shells).join(', ')}.`);
    const program = emptyProgram('', desk);
    await addClientCommands(program, desk, allNouns);
    for (const [name, meaning] of installation) program.command(name).description(meaning);
    const text = write(nodesOf(program, []));
    return { value: { shell, script: text }, text: () => text };
  },
};
