/** Counting packets with tcpdump, to prove what travelled past the mesh and what did not. */
import type { Lab } from './lab.js';
import type { LabProcess } from './lab-process.js';

export class PacketCapture {
  private readonly process: LabProcess;

  private constructor(process: LabProcess) {
    this.process = process;
  }

  /** Listens on an interface of the node (default: the bridge) until {@link stop}. `filter` is pcap-filter(7). */
  static async start(lab: Lab, filter: string, device = 'br0'): Promise<PacketCapture> {
    const argv = ['tcpdump', '-i', device, '-nn', '-l', '-tt', '--immediate-mode', '-Z', 'root', filter];
    const process = lab.spawn(argv, { name: 'tcpdump', netns: lab.nodeNetns });
    await process.awaitOutput(/listening on/);
    return new PacketCapture(process);
  }

  /**
   * Ends the capture and returns one line per packet. A packet is in the buffer before the call that sent it returns,
   * and tcpdump empties the buffer before it ends, so nothing sent before this call is missing.
   */
  async stop(): Promise<string[]> {
    this.process.signal('SIGINT');
    await this.process.exited;
    return this.process.stdout.split('\n').filter(Boolean);
  }
}

/** Opening packets of TCP connections (SYN without ACK), both families. */
export const openingSegments =
  '(tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn) or (ip6 and ip6[6] == 6 and ip6[53] & 0x12 == 2)';
