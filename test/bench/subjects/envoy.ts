/** envoy: virtual hosts and routes, the RBAC filter, statistics by its admin listener. */
import { type Credentials, credentialName } from '../credentials.js';
import {
  type Endpoint,
  type Hop,
  type HttpListener,
  type Listener,
  mostConnections,
  type Peer,
} from '../hop.js';
import { backendOf, denied, hosts, prefixes } from '../rules.js';

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;

function socketAddress(address: string, port: number) {
  return { socket_address: { address, port_value: port } };
}

/** The parts of a TLS context that both sides have. */
function tlsContext({ certificate, key, trust }: Credentials) {
  const name = { san_type: 'DNS', matcher: { exact: credentialName } };
  return {
    tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
    tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
    validation_context: { trusted_ca: { filename: trust }, match_typed_subject_alt_names: [name] },
  };
}

function transportSocket(side: 'Downstream' | 'Upstream', credentials: Credentials | null) {
  if (credentials === null) return {};
  const context = {
    '@type': type(`transport_sockets.tls.v3.${side}TlsContext`),
    common_tls_context: tlsContext(credentials),
    ...(side === 'Downstream' && { require_client_certificate: true }),
  };
  return { transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: context } };
}

const http2Options = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': type('upstreams.http.v3.HttpProtocolOptions'),
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function cluster(name: string, { address, port }: Endpoint, listener: Listener) {
  const endpoint = { endpoint: { address: socketAddress(address, port) } };
  return {
    name,
    connect_timeout: '5s',
    type: 'STATIC',
    circuit_breakers: { thresholds: [{ max_connections: mostConnections }] }, // 1024 by default
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    ...(listener.protocol === 'http' && listener.http2 && { typed_extension_protocol_options: http2Options }),
    ...transportSocket('Upstream', listener.outbound),
  };
}

function policy(permission: object, principal: object) {
  return { permissions: [permission], principals: [principal] };
}

/** envoy.config.rbac.v3.RBAC that denies what {@link denied} says and the given sources. */
function denials(untrusted: readonly string[]) {
  const anyone = { any: true };
  const path = (prefix: string) => ({ url_path: { path: { prefix } } });
  const header = (name: string, value: string) => ({ header: { name, string_match: { exact: value } } });
  const methods = denied.write.methods.map((method) => header(':method', method));
  const write = { and_rules: { rules: [{ or_rules: { rules: methods } }, path(denied.write.prefix)] } };
  const sources = untrusted.map((address) => ({
    direct_remote_ip: { address_prefix: address, prefix_len: 32 },
  }));
  return {
    action: 'DENY',
    policies: {
      debug: policy(header(denied.header.name, denied.header.value), anyone),
      write: policy(write, anyone),
      internal: policy(path(denied.prefix), anyone),
      ...(sources.length > 0 && { untrusted: policy({ any: true }, { or_ids: { ids: sources } }) }),
    },
  };
}

function virtualHosts(listener: HttpListener, index: number) {
  const route = (prefix: string, backend: number) => ({
    match: { prefix },
    route: { cluster: `b${index}_${backend}`, timeout: '15s' },
  });
  if (!listener.routes) return [{ name: 'any', domains: ['*'], routes: [route('/', 0)] }];
  return hosts.map((host, hostIndex) => ({
    name: host,
    domains: [host],
    routes: prefixes.map((prefix, prefixIndex) => route(`${prefix}/`, backendOf(hostIndex, prefixIndex))),
  }));
}

function httpFilters(listener: HttpListener, untrusted: readonly string[]) {
  const rbac = {
    name: 'envoy.filters.http.rbac',
    typed_config: { '@type': type('filters.http.rbac.v3.RBAC'), rules: denials(untrusted) },
  };
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': type('filters.http.router.v3.Router') },
  };
  return listener.authorization ? [rbac, router] : [router];
}

function accessLog(path: string) {
  return {
    name: 'envoy.access_loggers.file',
    typed_config: { '@type': type('access_loggers.file.v3.FileAccessLog'), path },
  };
}

function networkFilter(listener: Listener, index: number, hop: Hop, directory: string) {
  if (listener.protocol === 'tcp') {
    return {
      name: 'envoy.filters.network.tcp_proxy',
      typed_config: {
        '@type': type('filters.network.tcp_proxy.v3.TcpProxy'),
        stat_prefix: `tcp${index}`,
        cluster: `b${index}_0`,
      },
    };
  }
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
      stat_prefix: `http${index}`,
      use_remote_address: true,
      access_log: hop.accessLog ? [accessLog(`${directory}/access.log`)] : [],
      route_config: { name: `routes${index}`, virtual_hosts: virtualHosts(listener, index) },
      http_filters: httpFilters(listener, hop.untrusted),
    },
  };
}

const endpointsOf = (listener: Listener) =>
  listener.protocol === 'tcp' ? [listener.endpoint] : listener.endpoints;

export const envoy: Peer = {
  name: 'envoy',
  portOffset: 200,
  files(hop, directory) {
    const config = {
      admin: { address: socketAddress('127.0.0.1', hop.statsPort) },
      static_resources: {
        listeners: hop.listeners.map((listener, index) => ({
          name: `l${index}`,
          address: socketAddress(listener.address, listener.port),
          filter_chains: [
            {
              filters: [networkFilter(listener, index, hop, directory)],
              ...transportSocket('Downstream', listener.inbound),
            },
          ],
        })),
        clusters: hop.listeners.flatMap((listener, index) =>
          endpointsOf(listener).map((endpoint, backend) =>
            cluster(`b${index}_${backend}`, endpoint, listener),
          ),
        ),
      },
    };
    return { 'envoy.json': JSON.stringify(config, null, 1) };
  },
  argv: (directory) => [
    '.tools/envoy',
    ...['-c', `${directory}/envoy.json`, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'],
  ],
};
