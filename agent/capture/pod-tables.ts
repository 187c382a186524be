/** One pod's entries in the kernel's maps. */
import type { KernelPrograms, NamespaceListener } from '../../native/kernel.js';
import type { Enrolment, PodCounters } from '../handover/messages.js';
import { address, pod, podCounters, podFlags, workload as workloadLayout } from './abi-layout.js';
import { encodeIp } from './encode-address.js';
import { encodeStruct, encodeU32, encodeU64, readField } from './encode-struct.js';

/** A pod as its map entries describe it. */
export interface PodEntries {
  readonly cookie: bigint;
  readonly enrolment: Enrolment;
  readonly listeners: readonly NamespaceListener[];
}

type Maps = Pick<KernelPrograms, 'lookup' | 'update' | 'remove' | 'keys'>;

export class PodTables {
  readonly #maps: Maps;

  constructor(maps: Maps) {
    this.#maps = maps;
  }

  /**
   * Everything but the pod's own entry, which alone makes outbound capture begin ({@link writePod}). Throws where an
   * address is another enrolled pod's, before anything is written.
   */
  writeSurroundings({ cookie, enrolment, listeners }: PodEntries): void {
    for (const text of enrolment.addresses) this.#checkOwner(cookie, text);
    const uid = encodeStruct(workloadLayout, { uid: Buffer.from(enrolment.workload) });
    this.#maps.update('workloads', encodeU64(cookie), uid);
    if (this.#maps.lookup('pod_counters', encodeU64(cookie)) === null) {
      this.#maps.update('pod_counters', encodeU64(cookie), Buffer.alloc(podCounters.size));
    }
    for (const text of enrolment.addresses) {
      const ip = encodeIp(text);
      const listener = findListener(listeners, 'inbound', text.includes(':') ? 6 : 4);
      // The owner first: removePod finds the rest by it. An address that is not whole yet is dropped, as before.
      this.#maps.update('addresses', ip, encodeU64(cookie));
      if (listener !== undefined) this.#maps.update('listeners', ip, encodeU64(listener.descriptor));
    }
    for (const key of probePortKeys(enrolment)) this.#maps.update('probe_ports', key, encodeU32(1));
  }

  /** Outbound capture is in force from here on. `proxyGone` opens a pod that asks for it. */
  writePod({ cookie, enrolment, listeners }: PodEntries, proxyGone: boolean): void {
    const outbound6 = listeners.filter((one) => one.direction === 'outbound' && one.family === 6);
    const first = (family: 4 | 6) =>
      enrolment.addresses.find((text) => text.includes(':') === (family === 6));
    const value = encodeStruct(pod, {
      flags:
        (enrolment.udp === 'deny' ? podFlags.WEFT_POD_UDP_DENY : 0) |
        (enrolment.failMode === 'open' ? podFlags.WEFT_POD_FAIL_OPEN : 0) |
        (proxyGone ? podFlags.WEFT_POD_PROXY_GONE : 0),
      group: enrolment.group,
      address4: encodeOptionalIp(first(4)),
      address6: encodeOptionalIp(first(6)),
      outboundPort4: findListener(listeners, 'outbound', 4)?.port ?? 0,
      inboundPort4: findListener(listeners, 'inbound', 4)?.port ?? 0,
      inboundPort6: findListener(listeners, 'inbound', 6)?.port ?? 0,
      outboundPorts6: outbound6.map((one) => one.port),
    });
    this.#maps.update('pods', encodeU64(cookie), value);
  }

  /** Addresses and probe ports that the enrolment had before and has no more. */
  removeLeftOver(cookie: bigint, before: Enrolment, now: Enrolment): void {
    for (const text of before.addresses) if (!now.addresses.includes(text)) this.#removeAddress(cookie, text);
    const kept = new Set(probePortKeys(now).map((key) => key.toString('hex')));
    for (const key of probePortKeys(before))
      if (!kept.has(key.toString('hex'))) this.#maps.remove('probe_ports', key);
  }

  /** Ends capture of connections out of the pod at once, and forgets the pod. */
  removePod(cookie: bigint): void {
    const key = encodeU64(cookie);
    this.#maps.remove('pods', key);
    for (const ip of this.#maps.keys('addresses')) {
      if (this.#ownerOf(ip) !== cookie) continue;
      this.#maps.remove('addresses', ip);
      this.#maps.remove('listeners', ip);
      for (const port of this.#maps.keys('probe_ports')) {
        if (port.subarray(0, ip.length).equals(ip)) this.#maps.remove('probe_ports', port);
      }
    }
    this.#maps.remove('pod_counters', key);
    this.#maps.remove('workloads', key);
  }

  /** Opens (or closes again) every pod that asks for it, enrolled by this process or before it. */
  setProxyGone(gone: boolean): number {
    let changed = 0;
    for (const key of this.#maps.keys('pods')) {
      const value = this.#maps.lookup('pods', key);
      if (value === null) continue;
      const flags = readField(value, pod.fields.flags);
      const wanted = gone ? flags | podFlags.WEFT_POD_PROXY_GONE : flags & ~podFlags.WEFT_POD_PROXY_GONE;
      if ((flags & podFlags.WEFT_POD_FAIL_OPEN) === 0 || wanted === flags) continue;
      value.writeUInt32LE(wanted, pod.fields.flags.offset);
      this.#maps.update('pods', key, value);
      changed += 1;
    }
    return changed;
  }

  /** Who was enrolled according to the maps, by netns cookie. */
  readWorkloads(): Map<bigint, string> {
    const found = new Map<bigint, string>();
    for (const key of this.#maps.keys('workloads')) {
      const value = this.#maps.lookup('workloads', key);
      if (value === null) continue;
      const end = value.indexOf(0);
      found.set(key.readBigUInt64LE(), value.toString('utf8', 0, end < 0 ? value.length : end));
    }
    return found;
  }

  readCounters(cookie: bigint, workload: string): PodCounters {
    const value = this.#maps.lookup('pod_counters', encodeU64(cookie)) ?? Buffer.alloc(podCounters.size);
    const { steered, direct, arrived, passed } = podCounters.fields;
    return {
      workload,
      steered: readField(value, steered),
      direct: readField(value, direct),
      arrived: readField(value, arrived),
      passed: readField(value, passed),
    };
  }

  #checkOwner(cookie: bigint, text: string): void {
    const owner = this.#ownerOf(encodeIp(text));
    if (owner === undefined || owner === cookie) return;
    const name = this.readWorkloads().get(owner) ?? 'an unknown workload';
    throw new Error(`address ${text} is enrolled by ${name}; withdraw it first`);
  }

  #ownerOf(ip: Buffer): bigint | undefined {
    return this.#maps.lookup('addresses', ip)?.readBigUInt64LE();
  }

  #removeAddress(cookie: bigint, text: string): void {
    const ip = encodeIp(text);
    if (this.#ownerOf(ip) !== cookie) return;
    this.#maps.remove('addresses', ip);
    this.#maps.remove('listeners', ip);
  }
}

function findListener(
  listeners: readonly NamespaceListener[],
  direction: NamespaceListener['direction'],
  family: 4 | 6,
): NamespaceListener | undefined {
  return listeners.find((one) => one.direction === direction && one.family === family);
}

function encodeOptionalIp(text: string | undefined): Buffer {
  return text === undefined ? Buffer.alloc(16) : encodeIp(text);
}

function probePortKeys({ addresses, probePorts }: Enrolment): Buffer[] {
  return addresses.flatMap((text) =>
    probePorts.map((port) => encodeStruct(address, { ip: encodeIp(text), port })),
  );
}
