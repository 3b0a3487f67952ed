// Completion for zsh.

import type { Node } from './grammar.ts';
import { kindsOf, quoted } from './script.ts';

/** The script. @param valued the flags that a value follows */
export function zshScript(nodes: readonly Node[], valued: readonly string[]): string {
  const colonless = (text: string) => text.replaceAll(':', '\\:');
  const words = nodes.map(({ path, next }) => {
    const items = next.map(([word, meaning]) => quoted(`${colonless(word)}:${meaning}`)).join(' ');
    return `    ${quoted(path)}) items=(${items}) ;;`;
  });
  const kinds = kindsOf(nodes).map(
    ([patterns, kind]) => `    ${patterns.map(quoted).join('|')}) kind=${quoted(kind)} ;;`,
  );
  return `#compdef berth
# Completion of berth for zsh: berth completion zsh > /usr/local/share/zsh/site-functions/_berth
_berth() {
  local where='' kind='' word previous='' skip='' i
  local -a items found
  local -A paths valued
  paths=(${nodes.map(({ path }) => `${quoted(path || '/')} 1`).join(' ')})
  valued=(${valued.map((flag) => `${quoted(flag)} 1`).join(' ')})
  integer count=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    previous=''
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -* ]]; then
      if [[ -n $valued[$word] ]]; then skip=1; previous=$word; fi
      continue
    fi
    if [[ -n $paths[\${where:+$where }$word] ]]; then where="\${where:+$where }$word"; else count=$((count + 1)); fi
  done
  case "$where \${previous:-$count}" in
${kinds.join('\n')}
  esac
  case $where in
${words.join('\n')}
  esac
  case $kind in
    '='*) found=(\${=kind#=}) ;;
    /) _files ;;
    ?*) found=(\${(f)"$(berth completion values $kind 2>/dev/null)"}) ;;
  esac
  (( $#found )) && compadd -a found
  [[ $kind == ssh-key ]] && _files
  [[ -z $previous && ( -z $kind || $words[CURRENT] == -* ) ]] && _describe 'berth' items
  return 0
}
if [[ $funcstack[1] == _berth ]]; then _berth "$@"; else compdef _berth berth; fi
`;
}
