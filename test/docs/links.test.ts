import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, REPOSITORY, trackedPages } from './tracked-pages.ts';

const PAGES = trackedPages();

describe('links between pages', () => {
  it('each relative link leads to a file or folder of the repository', () => {
    const broken = PAGES.flatMap(({ path, text }) =>
      relativeLinks(text)
        .filter((link) => !existsSync(join(REPOSITORY, targetOf(path, link))))
        .map((link) => `${path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('each anchor is the heading of its page', () => {
    const broken = PAGES.flatMap(({ path, text }) =>
      relativeLinks(text).flatMap((link) => {
        const anchor = link.split('#')[1];
        const target = targetOf(path, link);
        if (anchor === undefined || !target.endsWith('.md') || !existsSync(join(REPOSITORY, target))) return [];
        return anchorsIn(readPage(target)).includes(anchor) ? [] : [`${path}: ${link}`];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('each path of a source file that a page names exists, unless NAME stands for a part of it', () => {
    const named = /`((?:src|build|scripts|test|cni-conf|docs)\/(?![\w./-]*NAME)[\w./-]+)`/g;
    const missing = PAGES.flatMap(({ path, text }) =>
      [...text.matchAll(named)].flatMap(([, file = '']) =>
        existsSync(join(REPOSITORY, file)) ? [] : [`${path}: ${file}`],
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe('the anchors of a page', () => {
  const anchors = (why: string, text: string, expected: readonly string[]) =>
    it(why, () => expect(anchorsIn(text)).toEqual(expected));

  anchors('a heading in lower case with hyphens', '## Try it\n', ['try-it']);
  anchors('punctuation is dropped', '### 5. podwire alone: `-t`\n', ['5-podwire-alone--t']);
  anchors('a repeated heading is numbered', '# A\n## A\n', ['a', 'a-1']);
  anchors('text in a code block does not count as a heading', '```\n# a\n```\n', []);
});

/** Targets of `[text](target)` outside code, without those that begin with a scheme. */
function relativeLinks(text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function targetOf(page: string, link: string): string {
  const [path = ''] = link.split('#');
  return path === '' ? page : normalize(join(dirname(page), path));
}

/** The anchors that code forges generate from headings. */
function anchorsIn(text: string): readonly string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

function withoutCode(text: string): string {
  return withoutFences(text)
    .replaceAll(/^ {4}.*$/gm, '')
    .replaceAll(/`[^`\n]+`/g, '');
}
