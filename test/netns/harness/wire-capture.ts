/** What travelled on the wire, byte by byte: tcpdump into a file, read again by tshark. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitEvent } from './await-event.js';
import type { Lab } from './lab.js';
import type { LabProcess } from './lab-process.js';
import { runCommand } from './run-command.js';

/** A TLS hello on the wire. */
export interface SeenHello {
  readonly source: string;
  readonly destination: string;
  readonly destinationPort: number;
  /** RFC 8446 section 4.2.1, as hexadecimal numbers; what a server chose is one. */
  readonly versions: readonly string[];
  /** Application protocols that a client offered. */
  readonly protocols: readonly string[];
}

let captures = 0;

export class WireCapture {
  readonly file: string;
  private readonly process: LabProcess;

  private constructor(file: string, process: LabProcess) {
    this.file = file;
    this.process = process;
  }

  /** Writes down whole packets of an interface of the node (default: the bridge). `filter` is pcap-filter(7). */
  static async start(lab: Lab, filter: string, device = 'br0'): Promise<WireCapture> {
    captures += 1;
    const file = join(lab.folder, `wire-${captures}.pcap`);
    const argv = ['tcpdump', '-i', device, '-nn', '-U', '--immediate-mode', '-s', '0', '-Z', 'root'];
    const process = lab.spawn([...argv, '-w', file, filter], { name: 'tcpdump', netns: lab.nodeNetns });
    await process.awaitOutput(/listening on/);
    return new WireCapture(file, process);
  }

  /** Ends it; nothing that was sent before is missing. */
  async stop(): Promise<void> {
    this.process.signal('SIGINT');
    await this.process.exited;
  }

  /** Whether a text went over the wire as it is. */
  holds(text: string): boolean {
    return readFileSync(this.file).includes(text);
  }

  /** Waits until a text went over the wire as it is. */
  awaitText(text: string, deadlineMs = 5_000): Promise<boolean> {
    return awaitEvent(`'${text}' on the wire`, deadlineMs, () => this.holds(text));
  }

  /** Ports to which connections were opened between two addresses of one family. */
  async openedPorts(source: string, destination: string): Promise<number[]> {
    const ip = source.includes(':') ? 'ipv6' : 'ip';
    const opening = `tcp.flags.syn == 1 and tcp.flags.ack == 0 and ${ip}.src == ${source} and ${ip}.dst == ${destination}`;
    const rows = await this.fields(opening, [], ['tcp.dstport']);
    return [...new Set(rows.map(([port]) => Number(port)))].sort((a, b) => a - b);
  }

  /** Payload of these ports that is no record of TLS, one line each. */
  async plainSegments(ports: readonly number[]): Promise<string[]> {
    const ofPorts = ports.map((port) => `tcp.port == ${port}`).join(' or ');
    // A segment that goes on with a record has no layer of its own, but tshark puts it together with the others.
    const filter = `(${ofPorts}) and tcp.len > 0 and not tls and not tcp.segment_data and not tcp.reassembled_in`;
    const rows = await this.fields(filter, ports, ['ip.src', 'tcp.srcport', 'tcp.dstport', 'tcp.payload']);
    return rows.map((row) => row.join(' '));
  }

  /** `client`: 1, `server`: 2 (RFC 8446 section 4). */
  async hellos(kind: 'client' | 'server', ports: readonly number[]): Promise<SeenHello[]> {
    const filter = `tls.handshake.type == ${kind === 'client' ? 1 : 2}`;
    const rows = await this.fields(filter, ports, [
      'ip.src',
      'ipv6.src',
      'ip.dst',
      'ipv6.dst',
      'tcp.dstport',
      'tls.handshake.extensions.supported_version',
      'tls.handshake.extensions_alpn_str',
    ]);
    return rows.map(([from4, from6 = '', to4, to6 = '', port = '', versions = '', protocols = '']) => ({
      source: from4 || from6,
      destination: to4 || to6,
      destinationPort: Number(port),
      versions: versions.split(','),
      protocols: protocols.split(',').filter(Boolean),
    }));
  }

  private async fields(
    filter: string,
    tlsPorts: readonly number[],
    fields: readonly string[],
  ): Promise<string[][]> {
    const decode = tlsPorts.flatMap((port) => ['-d', `tcp.port==${port},tls`]);
    const wanted = fields.flatMap((field) => ['-e', field]);
    const argv = ['tshark', '-r', this.file, ...decode, '-Y', filter, '-T', 'fields', ...wanted];
    const text = await runCommand(argv);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t'));
  }
}
