/** A machine that says it is a node: what it joins with, what it proves, and what it asks for are its own choice. */
import { createSecureContext } from 'node:tls';
import { credentials, type ServiceError } from '@grpc/grpc-js';
import { makeRequest } from '../../../agent/proxy/identity/make-request.js';
import { PemConverter } from '../../../agent/proxy/identity/x509.js';
import { loadIdentityService, reasonTrailer } from '../../../proto/load-identity-service.js';
import type { ReceivedIssueResponse } from '../../../proto/messages.js';

const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.ssl_target_name_override': 'controller',
};

/** PEM texts. */
export interface NodeCredential {
  readonly certificate: string;
  readonly key: string;
}

/** What it was given, or the name under which it was refused. */
export type Answer = NodeCredential | string;

export class RogueNode {
  readonly #address: string;
  readonly #roots: string;
  readonly #Client = loadIdentityService().Client;
  /** What its connections prove; null: nothing. */
  proof: NodeCredential | null = null;

  /** `address` is HOST:PORT of the controller, `roots` the mesh's in PEM. */
  constructor(address: string, roots: string) {
    this.#address = address;
    this.#roots = roots;
  }

  /** Asks to be `node`. */
  join(token: string, node: string, names = `spiffe://test.example/weft/node/${node}`): Promise<Answer> {
    return this.#ask(names, (client, csr, done) => client.issueNode({ node, csr, token }, done));
  }

  /** Asks, as `node`, for the identity of a workload. */
  issue(node: string, workloadUid: string, spiffeId: string): Promise<Answer> {
    return this.#ask(spiffeId, (client, csr, done) => client.issue({ node, workloadUid, csr }, done));
  }

  async #ask(name: string, call: Call): Promise<Answer> {
    const { csr, privateKey } = await makeRequest(name);
    const key = PemConverter.encode(privateKey, 'PRIVATE KEY');
    const client = this.#connect();
    try {
      return await new Promise<Answer>((resolve) =>
        call(client, Buffer.from(csr), (error, answer) => {
          if (error !== null) resolve(`${error.metadata?.get(reasonTrailer)[0] ?? error.message}`);
          else resolve({ certificate: pemOf(answer), key });
        }),
      );
    } finally {
      client.close();
    }
  }

  #connect() {
    const { proof } = this;
    const shown = proof === null ? {} : { key: proof.key, cert: proof.certificate };
    const context = createSecureContext({ ca: this.#roots, ...shown });
    // It does not care who the controller is.
    const way = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
    return new this.#Client(this.#address, way, channelOptions);
  }
}

type Client = InstanceType<ReturnType<typeof loadIdentityService>['Client']>;
type Call = (
  client: Client,
  csr: Buffer,
  done: (error: ServiceError | null, answer?: ReceivedIssueResponse) => void,
) => void;

function pemOf(answer: ReceivedIssueResponse | undefined): string {
  return (answer?.chain ?? []).map((der) => PemConverter.encode(der, 'CERTIFICATE')).join('\n');
}
