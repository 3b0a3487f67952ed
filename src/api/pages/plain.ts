// Pages for a terminal of eighty columns: prose is folded at spaces, a table that is wider becomes a list of its rows, and what is there to be
// copied stays in its lines.

import { lexer, type Token, type Tokens } from 'marked';

const columns = 78;
const gap = '  ';

/** A page of Markdown as plain text. No line of its prose has more than 78 characters, but for words that are longer. */
export const plainOf = (markdown: string): string => `${blocksOf(lexer(markdown), columns).join('\n\n')}\n`;

function blocksOf(tokens: readonly Token[], room: number): string[] {
  return tokens.map((token) => blockOf(token, room)).filter((text) => text !== '');
}

function blockOf(token: Token, room: number): string {
  switch (token.type) {
    case 'heading': {
      const text = inlineOf(token.tokens ?? []);
      const under = { 1: '=', 2: '-' }[token.depth as number];
      return under ? `${text}\n${under.repeat(text.length)}` : text;
    }
    case 'paragraph':
    case 'text':
      return folded(inlineOf(token.tokens ?? [token]), room);
    case 'code':
      return indented((token as Tokens.Code).text, '    ');
    case 'blockquote':
      return indented(blocksOf(token.tokens ?? [], room - 2).join('\n\n'), '> ');
    case 'list':
      return listOf(token as Tokens.List, room);
    case 'table':
      return tableOf(token as Tokens.Table, room);
    case 'hr':
      return '-'.repeat(room);
    default:
      return '';
  }
}

function listOf({ ordered, start, items }: Tokens.List, room: number): string {
  const lines = items.map((item, index) => {
    const mark = ordered ? `${Number(start || 1) + index}. ` : '* ';
    const text = blocksOf(item.tokens, room - mark.length).join('\n');
    return mark + indented(text, ' '.repeat(mark.length)).trimStart();
  });
  return lines.join('\n');
}

function tableOf({ header, rows }: Tokens.Table, room: number): string {
  const titles = header.map(({ tokens }) => inlineOf(tokens));
  const cells = rows.map((row) => row.map(({ tokens }) => inlineOf(tokens)));
  const all = titles.some((title) => title !== '') ? [titles, ...cells] : cells;
  const widths = titles.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  if (widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) <= room)
    return all
      .map((row) =>
        row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join(gap)
          .trimEnd(),
      )
      .join('\n');
  return cells
    .map(([first = '', ...rest]) =>
      [folded(first, room), ...rest.map((cell, at) => rowPart(titles, at, cell, room))].filter(Boolean).join('\n'),
    )
    .join('\n');
}

/** A cell below the first one of its row, with its title where there are several. */
function rowPart(titles: readonly string[], at: number, cell: string, room: number): string {
  const title = titles.length > 2 ? titles[at + 1] : '';
  if (cell === '') return '';
  return indented(folded(title ? `${title}: ${cell}` : cell, room - 4), '    ');
}

function inlineOf(tokens: readonly Token[]): string {
  return tokens.map(wordsOf).join('').replaceAll(/\s+/g, ' ').trim();
}

function wordsOf(token: Token): string {
  const {
    type,
    raw,
    tokens,
    text = '',
    href = '',
  } = token as Token & { tokens?: Token[]; text?: string; href?: string };
  if (type === 'codespan') return raw;
  if (type === 'image') return `[picture: ${text}]`;
  if (type === 'link' && /^https?:/.test(href) && href !== text)
    return `${(tokens ?? []).map(wordsOf).join('')} <${href}>`;
  if (tokens) return tokens.map(wordsOf).join('');
  return type === 'br' ? ' ' : text || raw;
}

function folded(text: string, room: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].join('\n');
}

const indented = (text: string, by: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : by + line))
    .join('\n');
