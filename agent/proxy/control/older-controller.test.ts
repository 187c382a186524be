/** This build's agent at a controller one version older, which speaks its own description of the contract over a real socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Resource } from '../../../model/resource.js';
import { endpoint, endpointSet, mesh, resource, service, workload } from '../../../model/test-resources.js';
import { decodeDelta } from '../../../proto/decode-delta.js';
import { encodeResource } from '../../../proto/encode-resource.js';
import { configProtocol, loadConfigService } from '../../../proto/load-config-service.js';
import type { DeltaMessage, ReceivedAgentMessage } from '../../../proto/messages.js';
import { loadOlderConfigService } from '../../../proto/test-older-contract.js';
import { ConfigClient } from './config-client.js';
import { Configuration } from './configuration.js';
import { socketAccess } from './controller-access.js';
import { configStreamOpener } from './open-config-stream.js';
import { systemTimers } from './timers.js';

let folder: string;
let server: Server;
let client: ConfigClient;
let configuration: Configuration;
let stream: ServerDuplexStream<ReceivedAgentMessage, DeltaMessage>;
/** What the older controller could read of the agent. */
let heard: ReceivedAgentMessage[];
let check: () => void = () => {};

const all: Resource[] = [
  resource('mesh', mesh()),
  resource('service', service()),
  resource('endpoints', endpointSet([endpoint()])),
  resource('workload', workload()),
];

const deltaOf = (
  nonce: number,
  upserts: Resource[],
  removals: DeltaMessage['removals'] = [],
): DeltaMessage => ({
  nonce,
  snapshotVersion: nonce,
  complete: nonce === 1,
  upserts: upserts.map((one) => encodeResource(one)),
  ...(removals === undefined ? {} : { removals }),
});

/** Resolves with a message that the older controller heard. */
function hears<Found>(find: (message: ReceivedAgentMessage) => Found | null | undefined): Promise<Found> {
  return new Promise((resolve) => {
    check = () => {
      const found = heard.map(find).find((one) => one != null);
      if (found != null) resolve(found);
    };
    check();
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weft-o-'));
  const address = `unix:${join(folder, 's')}`;
  heard = [];
  server = new Server();
  server.addService(loadOlderConfigService().definition, {
    Stream: (opened: typeof stream) => {
      stream = opened;
      opened.on('data', (message: ReceivedAgentMessage) => {
        heard.push(message);
        check();
      });
      opened.on('error', () => {});
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  configuration = new Configuration({ onChange: () => {}, onRefused: () => {} });
  client = new ConfigClient({
    open: (handlers) => configStreamOpener(loadConfigService(), socketAccess(address))(handlers),
    ...{ node: 'n1', version: '0.1.0', protocol: configProtocol },
    held: () => configuration.held(),
    transports: () => configuration.transports(),
    wants: () => [{ kind: 'service', name: 'shop/cart' }],
    apply: (delta) => {
      configuration.apply(decodeDelta(delta));
      return [];
    },
    ...{ timers: systemTimers, random: () => 0, log: () => {} },
  });
  client.start();
});

afterEach(() => {
  client.close();
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

test('what it sends is in force and acknowledged, and it hears nothing that it cannot read', async () => {
  const hello = await hears((message) => message.hello);
  expect(hello).toMatchObject({ protocol: 1, node: 'n1', held: [] });
  stream.write(deltaOf(1, all));
  expect((await hears((message) => message.ack))?.refusals).toEqual([]);
  expect(
    configuration
      .held()
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(all.map(({ kind }) => kind).sort());
  expect([...configuration.snapshot.workloads.keys()]).toEqual([all[3]?.name]);
  client.want([{ kind: 'service', name: 'shop/other' }], []);
  client.report({ workloads: [{ uid: 'u', captured: true, identityReady: true }] });
  expect(await hears((message) => message.report)).toMatchObject({ workloads: [{ uid: 'u' }] });
  const [endpoints] = all.filter(({ kind }) => kind === 'endpoints');
  const { name = '', version = '' } = endpoints ?? {};
  stream.write(deltaOf(2, [], [{ kind: 'endpoints', name, version }]));
  await hears((message) => (message.ack?.nonce === 2 ? message : null));
  expect(configuration.held().some(({ kind }) => kind === 'endpoints')).toBe(false);
  // A want would be a message without any content to it, for which it ends the stream.
  const kinds = heard.map(
    ({ hello, ack, report }) => [hello, ack, report].filter((one) => one != null).length,
  );
  expect(kinds.every((count) => count === 1)).toBe(true);
});
