import type { Component } from '../image/bill-of-materials.ts';
import { sha256 } from './checksums.ts';
import type { ReleaseFile } from './release-file.ts';

/** What a release was built from, and by whom. Nothing here may differ between two builds of the same sources. */
export interface Origin {
  readonly version: string;
  /** The image's name without its tag. */
  readonly imageName: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** URI of the repository, if the builder knows it. */
  readonly source: string | undefined;
  readonly commit: string;
  /** Whether the sources differ from the commit. */
  readonly hasUncommittedChanges: boolean;
  /** URI of the builder. */
  readonly builder: string;
  /** Files of the repository that pin what is downloaded, relative to it. */
  readonly lockfiles: readonly ReleaseFile[];
  /** What the image contains. Those with a SHA-256 checksum, the Debian packages, are not pinned by a lockfile. */
  readonly components: readonly Component[];
}

/**
 * Makes an in-toto statement about how files were built.
 *
 * @see https://slsa.dev/spec/v1.0/provenance
 */
export function provenanceOf(files: readonly ReleaseFile[], origin: Origin): object {
  const downloaded = origin.components.flatMap(({ url, checksum }) =>
    checksum?.algorithm === 'SHA256' ? [{ uri: url, digest: { sha256: checksum.hex } }] : [],
  );
  const unique = new Map(downloaded.map((dependency) => [dependency.uri, dependency]));
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map(({ name, content }) => ({ name, digest: { sha256: sha256(content) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:podwire:npm-run-release:1',
        externalParameters: { version: origin.version, image: origin.imageName, createdAt: origin.createdAt },
        resolvedDependencies: [
          {
            ...(origin.source === undefined ? {} : { uri: `git+${origin.source}` }),
            digest: { gitCommit: origin.commit },
            ...(origin.hasUncommittedChanges ? { annotations: { uncommittedChanges: true } } : {}),
          },
          ...origin.lockfiles.map(({ name, content }) => ({ name, digest: { sha256: sha256(content) } })),
          ...[...unique.values()].toSorted((one, other) => (one.uri < other.uri ? -1 : 1)),
        ],
      },
      runDetails: { builder: { id: origin.builder } },
    },
  };
}
