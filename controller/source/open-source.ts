/** Opens the source that the command line names. */

import type { LeaseHolder } from '../kubernetes/hold-lease.js';
import type { SourceFlags } from '../options.js';
import type { ClusterSettings } from '../resources/enrol-pods.js';
import { describeError, type Log } from '../status/log.js';
import type { ClusterCounts } from '../status/metrics.js';
import type { StatusReport } from '../status/status-report.js';
import { FolderSource } from './folder-source.js';
import type { Source } from './source.js';

export interface OpenedSource {
  readonly source: Source;
  /** null for a folder. */
  readonly cluster: ClusterSettings | null;
  /** null where there is nowhere to write them. */
  readonly statuses: StatusWriter | null;
  /** Held by the one of several controllers that decides; null: this one is alone. */
  readonly lease: LeaseHolder | null;
  /** null for a folder. */
  readonly counts: (() => ClusterCounts) | null;
}

/** Writes what the controller knows of objects back to where they came from. */
export interface StatusWriter {
  /** What statuses are made of, before the first `lead`. */
  reportFrom(report: () => Pick<StatusReport, 'version' | 'problems' | 'nodes'>): void;
  /** Begins to write, or stops. */
  lead(leading: boolean): void;
  /** What `report` gives has changed. */
  changed(): void;
}

/** Rejects where the credentials of a cluster cannot be read. */
export async function openSource(flags: SourceFlags, log: Log): Promise<OpenedSource> {
  switch (flags.kind) {
    case 'folder': {
      const { folder, shownAs } = flags;
      const onTrouble = (error: Error) => log.error(describeError(error), { folder: shownAs });
      const source = new FolderSource({ folder, shownAs, onTrouble });
      return { source, cluster: null, statuses: null, lease: null, counts: null };
    }
    case 'kubernetes': {
      // Loaded here alone: a folder's controller does without the Kubernetes library.
      const { openCluster } = await import('../kubernetes/open-cluster.js');
      return openCluster(flags, log);
    }
  }
}
