/**
 * Who talks to whom, by which transport, and why not encrypted where it is not: counted by numbers while traffic passes,
 * told as text for people.
 */
import type { Edge } from '../../../model/edge.js';
import { plaintextCauses } from '../../../model/plaintext-cause.js';
import { reasonName } from '../../../reasons/reasons.js';
import { Transport, transportName } from '../worker/transport.js';
import type { WorkloadLabels } from './label-table.js';

/**
 * What a connection or request adds to the edge of its series, as one number of 30 bits: port (16), transport (2), and
 * why not TLS (12): `cause`, an index into plaintextCauses, or `refusal`, the code of a refusal for transport's sake.
 */
export function edgeKey(port: number, transport: number, cause: number, refusal: number): number {
  const detail = refusal === 0 ? cause : firstRefusal + refusal;
  return (((port << 2) | (refusal === 0 ? transport : Transport.none)) << 12) | detail;
}

/** Edges of many more ports than that share one, of port 0: an application that scans takes bounded memory. */
const maxKeys = 64;
/** Refusals come behind the causes. */
const firstRefusal = 16;

/** One pair's uses by {@link edgeKey}. Few keys; for requests the first is nearly always meant, and stands by itself. */
export class EdgeCounts {
  #firstKey = -1;
  #firstRequests = 0;
  readonly #keys: number[] = [];
  readonly #connections: number[] = [];
  readonly #requests: number[] = [];

  countConnection(key: number): void {
    const at = this.#find(key);
    this.#connections[at] = (this.#connections[at] as number) + 1;
  }

  countRequest(key: number): void {
    if (key === this.#firstKey) {
      this.#firstRequests += 1;
      return;
    }
    const at = this.#find(key);
    this.#requests[at] = (this.#requests[at] as number) + 1;
  }

  list(source: WorkloadLabels, destination: WorkloadLabels): Edge[] {
    return this.#keys.map((key, at) => ({
      source: `${source.namespace}/${source.workload}`,
      destination: `${destination.namespace}/${destination.workload}`,
      ...readKey(key),
      connections: this.#connections[at] as number,
      requests: (this.#requests[at] as number) + (key === this.#firstKey ? this.#firstRequests : 0),
    }));
  }

  #find(key: number): number {
    let at = 0;
    while (at < this.#keys.length && this.#keys[at] !== key) at += 1;
    if (at < this.#keys.length) return at;
    if (at >= maxKeys && key >> 14 !== 0) return this.#find(key & 0x3fff);
    if (at === 0) this.#firstKey = key;
    this.#keys.push(key);
    this.#connections.push(0);
    this.#requests.push(0);
    return at;
  }
}

function readKey(key: number): Pick<Edge, 'port' | 'transport' | 'reason'> {
  const detail = key & 0xfff;
  return {
    port: key >> 14,
    transport: transportName((key >> 12) & 3),
    reason: detail < firstRefusal ? (plaintextCauses[detail] ?? 'none') : reasonName(detail - firstRefusal),
  };
}
