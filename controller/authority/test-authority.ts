/** For tests: a controller with an authority over real files and a real Unix socket, requests made by openssl. */
import { spawnSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { loadIdentityService, reasonTrailer } from '../../proto/load-identity-service.js';
import type { ReceivedIssueResponse, ReceivedTrustBundle } from '../../proto/messages.js';
import { Controller } from '../controller.js';
import { FolderSource } from '../source/folder-source.js';
import { createLog } from '../status/log.js';
import { ControllerFixture, workloadYaml } from '../test-fixture.js';
import { createAuthority } from './create-authority.js';
import type { Issuer } from './issuer.js';
import { JoinTokens } from './join-tokens.js';

export const cartId = 'spiffe://test.mesh/ns/shop/sa/default';
export const cartUid = 'shop.cart';

const { Client } = loadIdentityService();

/** Runs openssl; what it says on standard output. Throws with what it complains about. */
export function openssl(...args: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('openssl', args);
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

export interface RequestOptions {
  /** As openssl's -addext takes it. */
  readonly names?: string;
  readonly more?: readonly string[];
  readonly key?: readonly string[];
}

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

export class AuthorityFixture {
  readonly #base = new ControllerFixture();
  readonly root = this.#base.root;
  readonly address = this.#base.address;
  readonly logged: Record<string, unknown>[] = [];
  readonly #clients: InstanceType<typeof Client>[] = [];
  readonly tokens: JoinTokens;
  controller: Controller;
  /** Where nodes connect. */
  nodesPort = 0;
  nowMs = Date.now();

  constructor(issuer: (root: string) => Issuer, lifetimeMs = 3_600_000) {
    const made = issuer(this.root);
    this.tokens = new JoinTokens({ file: this.path('tokens.json'), now: () => this.nowMs });
    this.controller = new Controller({
      source: new FolderSource({ folder: this.#base.folder, onTrouble: () => {} }),
      build: { trustDomain: 'test.mesh', node: 'local' },
      log: createLog(
        (line) => this.logged.push(JSON.parse(line)),
        () => new Date(0),
      ),
      createAuthority: (surroundings) => createAuthority(made, lifetimeMs, surroundings),
      joining: this.tokens,
      now: () => this.nowMs,
    });
  }

  /** `forNodes`: listen over TCP too. */
  async start(forNodes = false): Promise<void> {
    await this.#base.write('cart.yaml', workloadYaml('cart', '10.0.0.1'));
    await this.#base.write(
      'far.yaml',
      workloadYaml('far', '10.0.0.2').replace('spec:', 'spec:\n  node: other'),
    );
    const nodes = forNodes ? { host: '127.0.0.1', port: 0 } : null;
    this.nodesPort = await this.controller.start({ socket: this.#base.socket, nodes });
  }

  /** The refusals that were recorded, by reason and workload. */
  get refused(): string[] {
    return this.logged
      .filter((line) => line.audit === 'certificate-refused')
      .map(({ reason, workload, node }) => `${reason} ${workload ?? node}`);
  }

  path(...names: string[]): string {
    return join(this.root, ...names);
  }

  /** A request in DER; its key is in `key.pem` below the root. */
  request({ names = `URI:${cartId}`, more = [], key = p256 }: RequestOptions = {}): Buffer {
    const keyFile = this.path('key.pem');
    const san = names === '' ? [] : ['-addext', `subjectAltName=${names}`];
    const args = [
      'req',
      '-new',
      '-nodes',
      '-subj',
      '/',
      '-keyout',
      keyFile,
      '-outform',
      'DER',
      '-config',
      '/dev/null',
    ];
    return openssl(...args, ...key, ...san, ...more);
  }

  /** Asks over gRPC; the answer, or the name of the refusal with its status. */
  ask(csr: Buffer, workloadUid = cartUid, node = 'local'): Promise<ReceivedIssueResponse | string> {
    return new Promise((resolve) => {
      this.#client().issue({ node, workloadUid, csr }, (error: ServiceError | null, response) => {
        if (error === null) resolve(response as ReceivedIssueResponse);
        else resolve(`${error.metadata.get(reasonTrailer)[0] ?? 'no reason'} ${error.code}`);
      });
    });
  }

  /** As {@link ask}, where it must succeed. */
  async obtain(csr: Buffer): Promise<ReceivedIssueResponse> {
    const answer = await this.ask(csr);
    if (typeof answer === 'string') throw new Error(`refused: ${answer}`);
    return answer;
  }

  /** Bundles as they come; `next` resolves with each one's number of roots. */
  watch(): { readonly next: () => Promise<ReceivedTrustBundle> } {
    const bundles: ReceivedTrustBundle[] = [];
    let wake: (() => void) | undefined;
    const stream = this.#client().watchBundle({ node: 'local' });
    stream.on('error', () => {});
    stream.on('data', (bundle: ReceivedTrustBundle) => {
      bundles.push(bundle);
      wake?.();
    });
    return {
      next: async () => {
        if (bundles.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        return bundles.shift() as ReceivedTrustBundle;
      },
    };
  }

  /** Makes a root by openssl below the fixture's folder: NAME.key and NAME.crt. */
  makeRoot(name: string, ...more: string[]): void {
    const usage = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
    openssl(
      ...['req', '-x509', '-config', '/dev/null', ...p256, '-nodes', '-days', '30', '-subj', `/CN=${name}`],
      ...usage.flatMap((one) => ['-addext', one]),
      ...more,
      ...['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.crt`)],
    );
  }

  /** Puts files into the authority's folder at once; the clock has reached what openssl dated by the machine's. */
  install(files: Readonly<Record<string, string>>): void {
    this.nowMs = Math.max(this.nowMs, Date.now() + 1000);
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(this.path(`.${name}`), text, { mode: 0o600 });
      renameSync(this.path(`.${name}`), this.path('authority', name));
    }
  }

  read(...names: string[]): string {
    return readFileSync(this.path(...names), 'utf8');
  }

  stop(): void {
    for (const client of this.#clients) client.close();
    this.controller.stop();
    this.#base.stop();
  }

  #client() {
    const client = new Client(this.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#clients.push(client);
    return client;
  }
}

export const pemOf = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
