/** The shop of examples/shop: its pods as the manifests name them, and real servers in them. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { startGrpcServer } from './grpc.js';
import type { Lab } from './lab.js';
import type { LabNode } from './lab-node.js';
import { type Service, startFixture, startHttpServer, startNginx, startRedis } from './services.js';

const source = join(import.meta.dirname, '../../../../examples/shop');

/** The parts of a Workload manifest that a lab needs. */
interface WorkloadManifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly addresses: readonly [string, string] };
}

/** nginx in the shop says which pod answers and what it was asked, with the headers that the routes edit. */
const describeShopRequest =
  'location / { default_type text/plain; return 200 "$hostname_of_pod: $request_method $host$request_uri from $remote_addr x-shop=$http_x_shop x-internal=$http_x_internal\\n"; }';

/** Pods that live on a second node. */
export interface FarPods {
  readonly node: LabNode;
  readonly names: readonly string[];
}

export class Shop {
  readonly lab: Lab;
  /** The folder of manifests that weft watches: a copy, free to edit. */
  readonly manifests: string;
  readonly services = new Map<string, Service>();

  private constructor(lab: Lab, manifests: string) {
    this.lab = lab;
    this.manifests = manifests;
  }

  /** Copies the manifests with the lab's namespace names, and makes the pods that they name, some on a second node. */
  static async create(lab: Lab, far?: FarPods): Promise<Shop> {
    const manifests = join(lab.folder, 'manifests');
    mkdirSync(manifests, { recursive: true });
    const files = readdirSync(source).filter((file) => file.endsWith('.yaml'));
    const texts = files.map((file) => readFileSync(join(source, file), 'utf8'));
    const moved = far === undefined ? texts : moveFar(files, texts, far);
    for (const [at, text] of moved.entries()) {
      writeFileSync(join(manifests, files[at] ?? ''), text.replaceAll('netns: shop-', `netns: ${lab.id}-`));
    }
    const shop = new Shop(lab, manifests);
    for (const document of parseAllDocuments(shop.read('workloads.yaml'))) {
      const workload = document.toJS() as WorkloadManifest;
      const [ipv4, ipv6] = workload.spec.addresses;
      const { name } = workload.metadata;
      await lab.addPod(name, { ipv4, ipv6 }, far?.names.includes(name) ? far.node : lab.node);
    }
    return shop;
  }

  /** Starts every server of the shop. */
  async startServers(): Promise<void> {
    const nginx = (name: string) =>
      startNginx(this.lab.pod(name), { port: 8080, server: describeShopRequest });
    const feed = this.lab.pod('feed');
    const started: readonly (readonly [string, Promise<Service>])[] = [
      ['catalog-v1', nginx('catalog-v1')],
      ['catalog-v2', nginx('catalog-v2')],
      ['cart', nginx('cart')],
      ['static', startHttpServer(this.lab.pod('static'), 8000, { 'hello.txt': 'hello from a file\n' })],
      ['stock', startRedis(this.lab.pod('stock'))],
      ['feed', startFixture(feed, 'websocket-echo.py', 8765)],
      ['notices', startFixture(feed, 'line-server.py', 2525)],
    ];
    for (const [name, service] of started) this.services.set(name, await service);
    await startGrpcServer(this.lab.pod('echo'), 9090, 'grpc-js');
  }

  service(name: string): Service {
    const service = this.services.get(name);
    if (service === undefined) throw new Error(`the shop has no service '${name}'`);
    return service;
  }

  read(file: string): string {
    return readFileSync(join(this.manifests, file), 'utf8');
  }

  /** Replaces a manifest at once (rename), as an editor or a deployment tool would. */
  write(file: string, text: string): void {
    const draft = join(this.lab.folder, `.draft-${file}`);
    writeFileSync(draft, text);
    renameSync(draft, join(this.manifests, file));
  }
}

/** Gives the far pods addresses of the second node, in every file, and names that node in their manifests. */
function moveFar(files: readonly string[], texts: readonly string[], { node, names }: FarPods): string[] {
  const workloads = texts[files.indexOf('workloads.yaml')] ?? '';
  const homes = new Map<string, string>();
  for (const document of parseAllDocuments(workloads)) {
    const { metadata, spec } = document.toJS() as WorkloadManifest;
    if (!names.includes(metadata.name)) continue;
    const [ipv4, ipv6] = spec.addresses;
    homes.set(ipv4, ipv4.replace('10.66.0.', '10.66.1.'));
    homes.set(ipv6, ipv6.replace('fd66::', 'fd66:0:0:1::'));
  }
  return texts.map((text) =>
    text
      .replaceAll(/10\.66\.0\.\d+|fd66::[0-9a-f]+/g, (address) => homes.get(address) ?? address)
      .replaceAll(/^ {2}addresses: \[10\.66\.1\..*$/gm, (line) => `  node: ${node.name}\n${line}`),
  );
}
