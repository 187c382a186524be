/** What the main thread and its workers say to each other. Descriptors are plain numbers: threads share them. */

import type { Edge } from '../../../model/edge.js';
import type { Delta } from '../../../model/resource.js';
import type { Detail } from '../../../model/workload-index.js';
import type { ConnectionInfo, DrainWay, EngineStats } from '../../../native/engine.js';
import type { ReasonCode } from '../../../reasons/reasons.js';
import type { Listener } from '../../handover/messages.js';
import type { Family } from '../../handover/values.js';
import type { LogDetails, LogLevel } from '../start/process-log.js';
import type { WorkerMetrics } from '../telemetry/worker-metrics.js';

/** Given to a worker when its thread starts. */
export interface WorkerStart {
  readonly worker: number;
  /** Descriptor of the notes map; the main thread keeps it open. */
  readonly notesMap: number;
  readonly accessLog: boolean;
}

export type ToWorker =
  /** The next snapshot is the present one with this change; a batch never sees half of it. */
  | { readonly type: 'delta'; readonly delta: Delta; readonly version: number }
  /** A workload (first time) or further listeners for it. Ownership of the descriptors moves. */
  | {
      readonly type: 'listeners';
      readonly handle: number;
      readonly uid: string;
      readonly listeners: readonly Listener[];
      readonly descriptors: readonly number[];
    }
  /** The workload leaves: its listeners close, its connections are told so and have this long. */
  | { readonly type: 'retire'; readonly handle: number; readonly endMs: number }
  | { readonly type: 'withdraw'; readonly handle: number; readonly graceMs: number }
  /** Who a workload is from now on. Never logged: it holds the key, whose memory is the worker's alone. All in DER. */
  | {
      readonly type: 'identity';
      readonly handle: number;
      readonly uid: string;
      readonly spiffeId: string;
      /** Grows with every identity of the node. */
      readonly generation: number;
      readonly chain: readonly Uint8Array[];
      /** PKCS#8. */
      readonly privateKey: Uint8Array;
      readonly roots: readonly Uint8Array[];
    }
  /** Its identity is no longer in force. */
  | { readonly type: 'identity-withdrawn'; readonly handle: number; readonly reason: ReasonCode }
  | {
      readonly type: 'sockets';
      readonly handle: number;
      readonly family: Family;
      readonly descriptors: readonly number[];
    }
  | { readonly type: 'report'; readonly request: number; readonly detail: ReportDetail }
  /** So many bytes of access log have been written. */
  /** The memory of a batch comes back. */
  | { readonly type: 'log-written'; readonly lines: Uint8Array<ArrayBuffer> }
  | { readonly type: 'drain'; readonly deadlineMs: number; readonly way: DrainWay };

/** What a report holds beside metrics and figures. */
export type ReportDetail = 'none' | 'connections' | 'edges';

/** What a worker has seen of who talks to whom, as the caller's side and as the destination's. */
export interface WorkerEdges {
  readonly outbound: readonly Edge[];
  readonly inbound: readonly Edge[];
}

/** One open connection, for the admin. */
export interface LiveConnection extends Omit<ConnectionInfo, 'direction' | 'protocol' | 'transport'> {
  readonly direction: 'outbound' | 'inbound';
  /** Between the workloads; `none` where its requests go ways of their own. */
  readonly transport: 'plaintext' | 'tls' | 'none';
  readonly worker: number;
  readonly workloadUid: string;
  readonly protocol: string;
  /** Empty where the mesh does not know it. */
  readonly sourceNamespace: string;
  readonly sourceWorkload: string;
  readonly destinationNamespace: string;
  readonly destinationWorkload: string;
  readonly service: string;
}

export type FromWorker =
  | { readonly type: 'ready' }
  /** The engine proves and asks for this identity from now on. */
  | { readonly type: 'identity-in-force'; readonly uid: string; readonly generation: number }
  /** Connections of its workloads go there: what the node does not hold of it must come, and all of it must stay. */
  | { readonly type: 'used'; readonly details: readonly Detail[] }
  | { readonly type: 'sockets-low'; readonly handle: number; readonly family: Family; readonly count: number }
  /** The memory moves to the receiver. */
  | { readonly type: 'access-log'; readonly lines: Uint8Array<ArrayBuffer> }
  | {
      readonly type: 'report';
      readonly request: number;
      readonly metrics: WorkerMetrics;
      readonly stats: EngineStats;
      readonly connections: readonly LiveConnection[];
      readonly edges: WorkerEdges;
    }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly details: LogDetails }
  | { readonly type: 'drained' };
