/** A node's agent as far as configuration goes: the proxy's own client, which comes again, to another replica each time. */
import { ConfigClient } from '../../../agent/proxy/control/config-client.js';
import { Configuration } from '../../../agent/proxy/control/configuration.js';
import { socketAccess } from '../../../agent/proxy/control/controller-access.js';
import { configStreamOpener } from '../../../agent/proxy/control/open-config-stream.js';
import { systemTimers } from '../../../agent/proxy/control/timers.js';
import type { Workload } from '../../../model/workload.js';
import { decodeDelta } from '../../../proto/decode-delta.js';
import { encodeRefusal } from '../../../proto/encode-resource.js';
import { configProtocol, loadConfigService } from '../../../proto/load-config-service.js';
import { Awaited } from './wait.js';

export class LiveAgent {
  readonly node: string;
  readonly configuration: Configuration;
  readonly #client: ConfigClient;
  readonly #changed = new Awaited();
  readonly #ready: ReadonlySet<string>;
  /** Called before a delta is applied. */
  onDelta: () => void = () => {};
  /** Phases that each workload has had here, in order. */
  readonly phases = new Map<string, string[]>();
  /** Streams that were opened. */
  streams = 0;
  /** Resources that came, over all deltas. */
  received = 0;

  /**
   * `addresses`: of replicas; the next stream goes to the next one. `ready`: uids of workloads that it
   * has captured, and that can prove themselves.
   */
  constructor(
    node: string,
    addresses: readonly string[],
    ready: readonly string[] = [],
    refuse: (name: string) => boolean = () => false,
  ) {
    this.node = node;
    this.#ready = new Set(ready);
    this.configuration = new Configuration({ onChange: () => this.#note(), onRefused: () => {} });
    const next = () => addresses[this.streams++ % addresses.length] ?? '';
    const service = loadConfigService();
    this.#client = new ConfigClient({
      open: (handlers) => configStreamOpener(service, socketAccess(next()))(handlers),
      node,
      version: 'test',
      protocol: configProtocol,
      held: () => this.configuration.held(),
      transports: () => this.configuration.transports(),
      wants: () => [],
      apply: (message) => {
        this.onDelta();
        const delta = decodeDelta(message);
        this.received += delta.upserts.length;
        const refused = delta.upserts.filter(({ name }) => refuse(name));
        this.configuration.apply({
          ...delta,
          upserts: delta.upserts.filter((one) => !refused.includes(one)),
        });
        const problem = { field: 'spec.rules', value: '', message: 'is refused by the test', fix: 'none' };
        return refused.map(({ kind, name, version }) => encodeRefusal(kind, name, version, [problem]));
      },
      reporter: { opened: () => this.#report(), applied: () => {}, closed: () => {} },
      timers: systemTimers,
      random: Math.random,
      log: () => {},
    });
    this.#client.start();
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** The workload of a pod. */
  workload(namespace: string, name: string): Workload | undefined {
    return [...this.configuration.snapshot.workloads.values()]
      .map(({ workload }) => workload)
      .find((one) => one.namespace === namespace && one.name === name);
  }

  until(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
    const describe = () =>
      JSON.stringify({ node: this.node, phases: [...this.phases], streams: this.streams });
    return this.#changed.until(what, condition, describe, timeoutMs);
  }

  /** Loses its stream, as by a cut cable. */
  leave(): void {
    this.#client.close();
  }

  come(): void {
    this.#client.start();
  }

  #report(): void {
    // Not held up by the stream's opening.
    queueMicrotask(() =>
      this.#client.report({
        workloads: [...this.#ready].map((uid) => ({ uid, captured: true, identityReady: true })),
      }),
    );
  }

  #note(): void {
    for (const { workload } of this.configuration.snapshot.workloads.values()) {
      const list = this.phases.get(workload.uid) ?? [];
      if (list.at(-1) !== workload.transport) list.push(workload.transport);
      this.phases.set(workload.uid, list);
    }
    this.#changed.wake();
  }
}
