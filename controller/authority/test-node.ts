/** For tests: a node of another machine, over real TLS; its key and request are made by openssl. */
import { readFileSync, writeFileSync } from 'node:fs';
import { checkServerIdentity as byHostName, createSecureContext } from 'node:tls';
import { type ChannelCredentials, credentials, type ServiceError } from '@grpc/grpc-js';
import { configProtocol, loadConfigService } from '../../proto/load-config-service.js';
import { loadIdentityService, reasonTrailer } from '../../proto/load-identity-service.js';
import type { ReceivedDelta, ReceivedIssueResponse, ReceivedTrustBundle } from '../../proto/messages.js';
import { type AuthorityFixture, openssl, pemOf } from './test-authority.js';

const { Client: IdentityClient } = loadIdentityService();
const { Client: ConfigClient } = loadConfigService();

export interface NodeKeys {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export class TestNode {
  readonly name: string;
  readonly #fixture: AuthorityFixture;
  readonly #clients: { close(): void }[] = [];
  keys: NodeKeys | null = null;
  /** PEM; what the server must lead to. */
  roots: string;

  constructor(fixture: AuthorityFixture, name: string) {
    this.#fixture = fixture;
    this.name = name;
    this.roots = fixture.read('authority/ca.crt');
  }

  get id(): string {
    return `spiffe://test.mesh/weft/node/${this.name}`;
  }

  /** Joins; the refusal's name and status where it fails. */
  async join(token: string, names = `URI:${this.id}`): Promise<string> {
    return this.issueNode(token, names);
  }

  /** As {@link join}; with an empty token the certificate that is held proves the node. */
  async issueNode(token: string, names = `URI:${this.id}`, node = this.name): Promise<string> {
    const csr = this.#fixture.request({ names });
    const key = this.#fixture.read('key.pem');
    const answer = await this.#call((done) => this.#identity().issueNode({ node, csr, token }, done));
    if (typeof answer === 'string') return answer;
    this.keys = { key, cert: answer.chain.map(pemOf).join('') };
    return 'joined';
  }

  issue(workloadUid: string, names: string, node = this.name): Promise<ReceivedIssueResponse | string> {
    const csr = this.#fixture.request({ names });
    return this.#call((done) => this.#identity().issue({ node, workloadUid, csr }, done));
  }

  /** The first delta that this node gets, or why it gets none. */
  subscribe(node = this.name): Promise<ReceivedDelta | string> {
    const client = this.#keep(new ConfigClient(this.#address, this.#credentials(), channelOptions));
    const stream = client.stream();
    return new Promise((resolve) => {
      stream.on('data', resolve);
      stream.on('error', (error: ServiceError) => resolve(refusalOf(error)));
      stream.write({ hello: { protocol: configProtocol, node, agentVersion: 'test', held: [] } });
    });
  }

  /** The bundle as this node is told of it, and the end of the stream. */
  followBundle(node = this.name) {
    const stream = this.#identity().watchBundle({ node });
    const bundles: ReceivedTrustBundle[] = [];
    let wake = () => {};
    stream.on('data', (bundle: ReceivedTrustBundle) => {
      bundles.push(bundle);
      wake();
    });
    return {
      /** Resolves with the first one that has so many roots. */
      withRoots: (count: number) =>
        new Promise<ReceivedTrustBundle>((resolve) => {
          wake = () => {
            const found = bundles.find(({ roots }) => roots.length === count);
            if (found !== undefined) resolve(found);
          };
          wake();
        }),
      ended: new Promise<string>((resolve) =>
        stream.on('error', (error: ServiceError) => resolve(refusalOf(error))),
      ),
    };
  }

  /** Writes what is held where openssl reads it: paths of certificate and key. */
  files(): { readonly cert: string; readonly key: string } {
    const [cert, key] = [this.#fixture.path(`${this.name}.crt`), this.#fixture.path(`${this.name}.key`)];
    writeFileSync(cert, this.keys?.cert ?? '');
    writeFileSync(key, this.keys?.key ?? '');
    return { cert, key };
  }

  text(): string {
    return openssl('x509', '-in', this.files().cert, '-noout', '-text').toString();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  get #address(): string {
    return `127.0.0.1:${this.#fixture.nodesPort}`;
  }

  #identity() {
    return this.#keep(new IdentityClient(this.#address, this.#credentials(), channelOptions));
  }

  #keep<Client extends { close(): void }>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  #credentials(): ChannelCredentials {
    const context = createSecureContext({ ca: this.roots, ...this.keys });
    return credentials.createFromSecureContext(context, {
      checkServerIdentity: (host, certificate) =>
        certificate.subjectaltname === 'URI:spiffe://test.mesh/weft/controller'
          ? undefined
          : byHostName(host, certificate),
    });
  }

  #call(
    ask: (done: (error: ServiceError | null, answer?: ReceivedIssueResponse) => void) => void,
  ): Promise<ReceivedIssueResponse | string> {
    return new Promise((resolve) =>
      ask((error, answer) => resolve(error === null ? (answer as ReceivedIssueResponse) : refusalOf(error))),
    );
  }
}

/** Keys that some workload got: PEM. */
export function keysOf(fixture: AuthorityFixture, { chain }: ReceivedIssueResponse): NodeKeys {
  return { key: readFileSync(fixture.path('key.pem'), 'utf8'), cert: chain.map(pemOf).join('') };
}

const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.ssl_target_name_override': 'controller',
  'grpc.max_receive_message_length': -1,
};

function refusalOf(error: ServiceError): string {
  return `${error.metadata?.get(reasonTrailer)[0] ?? 'no reason'} ${error.code}`;
}
