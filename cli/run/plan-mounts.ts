/**
 * Shows a process files that its user could not reach, because a folder above is closed (a checkout in a home folder):
 * each is bind-mounted below the state folder, in a mount namespace of that process alone. Nobody else sees it, no
 * mode is changed, and it ends with the process.
 */
import { join } from 'node:path';

export interface Mount {
  readonly source: string;
  readonly target: string;
}

/** Where a process finds the program node, the compiled code and the manifests. */
export interface ProcessFiles {
  readonly node: string;
  /** The folder of compiled rooms. */
  readonly dist: string;
  /** Undefined where there is no controller. */
  readonly manifests: string | undefined;
  readonly mounts: readonly Mount[];
}

/** The files at their mount points below `folder`. The code's root holds dist/, build/, proto/ and node_modules/. */
export function mountedFiles(
  folder: string,
  files: { readonly node: string; readonly codeRoot: string; readonly manifests: string | undefined },
): ProcessFiles {
  const [node, code, manifests] = ['node', 'code', 'manifests'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  return {
    node,
    dist: join(code, 'dist'),
    manifests: files.manifests === undefined ? undefined : manifests,
    mounts: [
      { source: files.node, target: node },
      { source: files.codeRoot, target: code },
      ...(files.manifests === undefined ? [] : [{ source: files.manifests, target: manifests }]),
    ],
  };
}

/** Begins a command that first mounts; `slave`: what the machine mounts later (network namespaces) is seen too. */
export function mountPrefix(mounts: readonly Mount[]): string[] {
  if (mounts.length === 0) return [];
  const script =
    'n=$1; shift; while [ "$n" -gt 0 ]; do mount --bind "$1" "$2" || exit 1; shift 2; n=$((n-1)); done; exec "$@"';
  const pairs = mounts.flatMap(({ source, target }) => [source, target]);
  return [
    'unshare',
    '--mount',
    '--propagation=slave',
    '/bin/sh',
    '-c',
    script,
    'weft',
    String(mounts.length),
    ...pairs,
  ];
}
