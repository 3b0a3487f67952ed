// Completion for bash, from 3.2 on.

import type { Node } from './grammar.ts';
import { kindsOf, quoted } from './script.ts';

/** The script. @param valued the flags that a value follows */
export function bashScript(nodes: readonly Node[], valued: readonly string[]): string {
  const words = nodes.map(
    ({ path, next }) => `    ${quoted(path)}) words=${quoted(next.map(([word]) => word).join(' '))} ;;`,
  );
  const kinds = kindsOf(nodes).map(
    ([patterns, kind]) => `    ${patterns.map(quoted).join('|')}) kind=${quoted(kind)} ;;`,
  );
  return `# Completion of berth for bash: source <(berth completion bash)
_berth() {
  local line=\${COMP_LINE:0:COMP_POINT} current previous='' path='' words='' kind='' word skip='' count=0 i found=()
  local typed=()
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=('')
  local last=$((\${#typed[@]} - 1))
  current=\${typed[$last]}
  for ((i = 1; i < last; i++)); do
    word=\${typed[$i]}
    previous=''
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -* ]]; then
      if [[ " $_berth_valued " == *" $word "* ]]; then skip=1; previous=$word; fi
      continue
    fi
    case " $_berth_paths " in
      *" \${path:+\${path// //}/}$word "*) path="\${path:+$path }$word" ;;
      *) count=$((count + 1)) ;;
    esac
  done
  if [[ -z $previous && $current == --*=* ]]; then previous=\${current%%=*}; current=\${current#*=}; fi
  case "$path \${previous:-$count}" in
${kinds.join('\n')}
  esac
  case $path in
${words.join('\n')}
  esac
  COMPREPLY=()
  case $kind in
    =*) found=(\${kind#=}) ;;
    /) compopt -o filenames 2>/dev/null; while IFS= read -r word; do found+=("$word"); done < <(compgen -f -- "$current") ;;
    # What a server says is taken letter by letter: compgen -W would run what stands in it.
    ?*) while IFS= read -r word; do found+=("$(printf %q "$word")"); done < <(berth completion values "$kind" 2>/dev/null) ;;
  esac
  [[ $kind != ssh-key ]] || while IFS= read -r word; do found+=("$word"); done < <(compgen -f -- "$current")
  if [[ -z $previous && ( -z $kind || $current == -* ) ]]; then found+=($words); fi
  for word in "\${found[@]}"; do [[ $word == "$current"* ]] && COMPREPLY+=("$word"); done
  # Words break at colons here, and what stands before the last one is not replaced.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    for i in "\${!COMPREPLY[@]}"; do COMPREPLY[$i]=\${COMPREPLY[$i]#"\${current%"\${current##*:}"}"}; done
  fi
}
_berth_paths=${quoted(nodes.map(({ path }) => path.replaceAll(' ', '/')).join(' '))}
_berth_valued=${quoted(valued.join(' '))}
complete -F _berth berth ./berth
`;
}
