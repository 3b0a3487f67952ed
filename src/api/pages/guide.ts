// The pages of docs/ at `/docs/guide`: for browsers as HTML, with `.txt` behind their names for a terminal, and with `.md` as they were
// written. Everything is read when the server starts; no path of a request is a path of a file.

import { readdirSync, readFileSync } from 'node:fs';
import { Marked } from 'marked';
import type { App } from '../types.ts';
import { plainOf } from './plain.ts';

const root = new URL('../../../', import.meta.url);
/** Folders of the repository whose pages are shown, and single ones beside them. */
const folders = ['docs', 'deploy'];
const singles = ['README.md', 'CONTRIBUTING.md'];
const style = readFileSync(new URL('./guide.css', import.meta.url), 'utf8');
const home = '/docs/guide';
/** The page that is shown where none is named. */
const index = 'README';
/** What the repository's own front page is called here, where `README` is that of docs/. */
const front = 'berth';

/** Nothing of these pages is a program, and nobody may frame them. */
const policy =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Page {
  text: string;
  /** Made when it is asked for first. */
  html(): string;
}

/** Adds the pages. */
export function guidePages(app: App): void {
  const pages = readPages();
  app.get(`${home}.css`, { schema: { hide: true } }, async (_request, reply) => reply.type('text/css').send(style));
  app.get(home, { schema: { hide: true } }, async (_request, reply) => reply.redirect(`${home}/`));
  app.get(`${home}/*`, { schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { '*': string })['*'] || index;
    const picture = pictures.get(path);
    if (picture) return reply.type(picture.type).header('content-security-policy', policy).send(picture.bytes);
    const page = pages.get(path.replace(/\.(md|txt)$/, ''));
    if (!page) return reply.callNotFound();
    if (path.endsWith('.txt')) return reply.type('text/plain; charset=utf-8').send(plainOf(page.text));
    if (path.endsWith('.md')) return reply.type('text/markdown; charset=utf-8').send(page.text);
    return reply.type('text/html; charset=utf-8').header('content-security-policy', policy).send(page.html());
  });
  app.get('/llms.txt', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(listOf(pages)),
  );
}

const typesOfPictures = { '.svg': 'image/svg+xml', '.png': 'image/png' };

const pictures = new Map(
  Object.entries(typesOfPictures).flatMap(([ending, type]) =>
    filesOf(ending).map(
      (file) => [file.replace(/^docs\//, ''), { type, bytes: readFileSync(new URL(file, root)) }] as const,
    ),
  ),
);

/** Files of the repository with a certain ending, by their paths in it. */
function filesOf(ending: string): string[] {
  const below = folders.flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  return [...below, ...singles].filter((name) => name.endsWith(ending)).sort();
}

/** What a page is called here: those of docs/ by their names there. */
const nameOf = (file: string): string =>
  file === 'README.md' ? front : file.replace(/^docs\//, '').replace(/\.md$/, '');

function readPages(): Map<string, Page> {
  const files = filesOf('.md');
  const names = new Set(files.map(nameOf));
  return new Map(
    files.map((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      let html: string | undefined;
      const page: Page = {
        text,
        html: () => {
          html ??= htmlOf(file, text, names);
          return html;
        },
      };
      return [nameOf(file), page];
    }),
  );
}

function htmlOf(file: string, text: string, names: ReadonlySet<string>): string {
  const marked = new Marked({
    renderer: {
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens);
        const to = linkOf(file, href, names);
        return to === null ? words : `<a href="${escapeHtml(to)}">${words}</a>`;
      },
      image({ href, text: words }) {
        const { pathname } = new URL(href, `http://root/${file}`);
        return `<img src="${home}/${escapeHtml(pathname.replace(/^\/(docs\/)?/, ''))}" alt="${escapeHtml(words)}">`;
      },
      heading({ tokens, depth, text: words }) {
        return `<h${depth} id="${anchorOf(words)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      table(token) {
        const row = (cells: typeof token.header, tag: string) =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="table"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>\n`;
      },
    },
  });
  const title = /^# (.+)$/m.exec(text)?.[1] ?? 'Berth';
  const body = marked.parse(text, { async: false });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - Berth</title><link rel="stylesheet" href="${home}.css"></head>
<body><header><a href="${home}/">Berth: guide</a> <a href="/docs">API reference</a> <a href="${home}/${nameOf(file)}.txt">This page as text</a></header>
<main>
${body}</main></body></html>
`;
}

/** Where a link of a page leads here, or null where it leads to a file of the source, which a server does not show. */
function linkOf(file: string, href: string, names: ReadonlySet<string>): string | null {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const { pathname, hash } = new URL(href, `http://root/${file}`);
  const path = pathname.slice(1);
  if (path.startsWith('openapi/')) return `/docs/${path}`;
  const name = nameOf(path);
  return path.endsWith('.md') && names.has(name) ? `${home}/${name}${hash}` : null;
}

/** What a heading is linked by, as forges that show such files make it. */
const anchorOf = (words: string): string =>
  words
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** What there is to read here, for programs that read for people. */
function listOf(pages: ReadonlyMap<string, Page>): string {
  const lines = [...pages].map(([name, { text }]) => {
    const title = /^# (.+)$/m.exec(text)?.[1] ?? name;
    return `- [${title}](${home}/${name}.md)`;
  });
  const apis = ['native', 'fluence', 'hiveon', 'bytemark'].map((name) => `- [${name}](/docs/openapi/${name}.json)`);
  return `# Berth

> A self-hosted compute marketplace and control plane: virtual machines and containers on machines of one's own, through Berth's own API and
> through those of Fluence, Hiveon and Bytemark.

Ask with \`Authorization: Bearer KEY\`. Berth's own API is below /berth/v1; start with GET /berth/v1/me.

## OpenAPI documents

${apis.join('\n')}

## Pages

${lines.join('\n')}
`;
}
