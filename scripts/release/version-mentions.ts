/** Where files mention podwire's own version: the source, images in manifests, and the names of a release's files. */
const MENTION = /(\bpodwire[:-]|PODWIRE_VERSION = '|newTag: '?)(\d+\.\d+\.\d+)\b/g;

/** The versions of podwire that a text mentions. A tag is a mention only if it equals podwire's version: other images have tags, too. */
export function versionMentions(text: string): readonly string[] {
  return [...text.matchAll(MENTION)].flatMap(([, before = '', version = '']) =>
    before.startsWith('newTag') ? [] : [version],
  );
}

/** Replaces podwire's version where a text mentions it. */
export function withVersion(text: string, before: string, after: string): string {
  return text.replaceAll(MENTION, (mention, start: string, version: string) =>
    version === before ? `${start}${after}` : mention,
  );
}
