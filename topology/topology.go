// Package topology is what the operator declares: the cells, the facade that
// stands in front of them, the rules that read a cell out of a credential, and
// the limits under which requests travel.
//
// The types mirror the file one to one. A Topology is plain data: Validate says
// everything that is wrong with one, WithDefaults fills in what was left out,
// and Diff tells what a change touches. Reading the file, with the places of
// its errors, is the work of internal/config.
package topology

// Version is the version of the file format that this package describes.
const Version = 1

// Mode says whether the edge only reports what it would do, or does it.
type Mode string

// The modes.
const (
	// Observe decides and reports, refuses nothing that is well-framed, and
	// sends every request for the facade to the legacy cell.
	Observe Mode = "observe"
	// Route sends each request to the cell that its credential names, as far
	// as the share of that cell allows.
	Route Mode = "route"
)

// Topology is one whole file.
type Topology struct {
	Version int  `yaml:"version" jsonschema:"required,enum=1,description=Version of this file format: 1."`
	Mode    Mode `yaml:"mode,omitempty" jsonschema:"enum=observe,enum=route,default=route,description=observe decides and reports but sends everything to the legacy cell; route sends each request home."`

	Facade Facade `yaml:"facade" jsonschema:"required,description=The global domain that all clients call."`
	Cells  []Cell `yaml:"cells" jsonschema:"required,minItems=1,description=The independent copies of the platform."`

	Credentials []CredentialRule `yaml:"credentials,omitempty" jsonschema:"description=How a cell is read out of a credential. Rules are tried in this order."`
	Bodies      []Body           `yaml:"bodies,omitempty" jsonschema:"description=The only requests whose body may be looked into for form and json credentials."`
	Paths       []PathRule       `yaml:"paths,omitempty" jsonschema:"description=Where requests without a credential go. The first match counts; without one they go to the legacy cell."`
	Lanes       []Lane           `yaml:"lanes,omitempty" jsonschema:"description=Classes of traffic. The first match counts; what matches none is in the lane default."`
	Shadows     []Shadow         `yaml:"shadows,omitempty" jsonschema:"description=Safe requests that are copied to another cell or to a candidate's endpoints; the answers are compared and thrown away."`
	Overrides   []Override       `yaml:"overrides,omitempty" jsonschema:"description=Accounts and credentials that live elsewhere than they say. A few; asked after the credential rules."`

	FingerprintKey string `yaml:"fingerprint_key,omitempty" jsonschema:"pattern=^[0-9a-f]{32}$,description=128-bit key of the credential fingerprints as 32 hex digits. Changing it changes every fingerprint."`

	Status         map[string]int `yaml:"status,omitempty" jsonschema:"description=HTTP status for a kind of refusal where it must differ from the default\\, such as malformed: 488."`
	CORS           *CORS          `yaml:"cors,omitempty" jsonschema:"description=Cross-origin answers that the edge gives itself. Without it preflights are forwarded like any request."`
	TrustedProxies []string       `yaml:"trusted_proxies,omitempty" jsonschema:"description=Addresses or CIDR ranges whose X-Forwarded and Forwarded headers are believed."`
	ProxyProtocol  []string       `yaml:"proxy_protocol,omitempty" jsonschema:"description=Addresses or CIDR ranges of load balancers whose connections all start with a PROXY protocol header\\, version 1 or 2. Required of them and taken from nobody else."`
	HealthPath     string         `yaml:"health_path,omitempty" jsonschema:"default=/.homeward/healthz,description=Path that answers load balancers' probes on the data port for any Host."`
	Timeouts       Timeouts       `yaml:"timeouts,omitempty" jsonschema:"description=How long each stage of a request may take."`
	Limits         Limits         `yaml:"limits,omitempty" jsonschema:"description=How large the parts of a request may be."`
}

// Facade is the global domain that all clients call.
type Facade struct {
	Hosts      []string `yaml:"hosts" jsonschema:"required,minItems=1,description=Host names and addresses without a port."`
	LegacyCell string   `yaml:"legacy_cell" jsonschema:"required,description=Cell of the credentials that predate cells and of requests that no rule places."`
}

// Cell is one full, independent copy of the platform.
type Cell struct {
	Name         string   `yaml:"name" jsonschema:"required,pattern=^[a-z]{2\\,6}[0-9]{1\\,2}$,description=2 to 6 small letters then 1 or 2 digits\\, as in na1."`
	Region       string   `yaml:"region" jsonschema:"required,description=Where it runs\\, as in us-east-1. For people."`
	Jurisdiction string   `yaml:"jurisdiction" jsonschema:"required,pattern=^[a-z]{2\\,8}$,description=Where its data may be\\, as in eu."`
	State        string   `yaml:"state,omitempty" jsonschema:"enum=open,enum=closed,enum=draining,default=open,description=Whether it takes new accounts. Never changes where existing accounts' requests go."`
	Hosts        []string `yaml:"hosts,omitempty" jsonschema:"description=Host names that always mean this cell."`
	Gateways     []string `yaml:"gateways" jsonschema:"required,minItems=1,description=Endpoints of the cell\\, as in https://10.0.0.1:8443 or http://gw.eu1.internal:8080. http and https speak HTTP/1.1; h2c and h2 speak HTTP/2\\, plain and with TLS."`
	GRPCGateways []string `yaml:"grpc_gateways,omitempty" jsonschema:"description=Endpoints for gRPC calls\\, h2c:// or h2://. Default: those of gateways\\, if they speak HTTP/2."`
	TLS          *TLS     `yaml:"tls,omitempty" jsonschema:"description=How https and h2 gateways are spoken to. The Host of the request is never used for it."`
	Health       *Health  `yaml:"health,omitempty" jsonschema:"description=How its gateways are probed in the background. Without it they are judged by the requests they get alone."`
	Capacity     int64    `yaml:"capacity,omitempty" jsonschema:"minimum=0,description=Accounts it can hold. 0 says no limit is declared."`
	Share        *float64 `yaml:"share,omitempty" jsonschema:"minimum=0,maximum=100,default=100,description=Percent of the credentials naming this cell that are sent to it; the rest still go to the legacy cell. For a gradual start."`
}

// TLS is how https and h2 gateways are spoken to.
type TLS struct {
	ServerName string `yaml:"server_name,omitempty" jsonschema:"description=SNI and the name the certificate must be for. Default: the gateway's host."`
	CA         string `yaml:"ca,omitempty" jsonschema:"description=PEM file of the authorities to trust\\, relative to this file. Default: the system's."`
	Cert       string `yaml:"cert,omitempty" jsonschema:"description=PEM file of the client certificate\\, relative to this file."`
	Key        string `yaml:"key,omitempty" jsonschema:"description=PEM file of its private key\\, relative to this file."`
}

// Health is how the gateways of a cell are probed, each address of each, so that
// one that fails is tried last before a request meets it.
type Health struct {
	Path      string   `yaml:"path,omitempty" jsonschema:"description=Asked for by GET with the gateway's host as Host; every status from 200 to 299 is good. Default: a connection including TLS is all that is tried."`
	Interval  Duration `yaml:"interval,omitempty" jsonschema:"default=10s,description=Between two probes of an address."`
	Timeout   Duration `yaml:"timeout,omitempty" jsonschema:"default=2s,description=For a whole probe."`
	Healthy   int      `yaml:"healthy,omitempty" jsonschema:"default=2,minimum=1,maximum=100,description=Good probes in a row after which an address counts as healthy again."`
	Unhealthy int      `yaml:"unhealthy,omitempty" jsonschema:"default=3,minimum=1,maximum=100,description=Failed probes in a row after which an address is tried last."`
}

// CredentialRule reads a cell out of credentials of one format in the places
// where it may stand. Exactly one of the five format fields is set.
type CredentialRule struct {
	Name string   `yaml:"name" jsonschema:"required,description=Name in decisions\\, logs and metrics."`
	In   []string `yaml:"in" jsonschema:"required,minItems=1,description=Places: bearer\\, basic-username\\, basic-password\\, header NAME\\, cookie NAME\\, query NAME\\, path /a/{credential}\\, form FIELD\\, json FIELD."`

	Pattern        string          `yaml:"pattern,omitempty" jsonschema:"description=Literals and the fields {cell} {account} {uuid} {hex:N} {base62:N} {rest}."`
	Homeward       *HomewardFormat `yaml:"homeward,omitempty" jsonschema:"description=The Homeward credential."`
	GitLabRoutable *GitLabFormat   `yaml:"gitlab_routable,omitempty" jsonschema:"description=GitLab's routable tokens v0 and v1."`
	JWT            *JWTFormat      `yaml:"jwt,omitempty" jsonschema:"description=JSON Web Tokens. Decoded\\, never verified."`
	Protobuf       *ProtobufFormat `yaml:"protobuf,omitempty" jsonschema:"description=A base64url protobuf message. Always the last rule of a place."`

	LegacyCell string `yaml:"legacy_cell,omitempty" jsonschema:"description=Cell of this rule's credentials that name none. Default: the facade's."`
}

// HomewardFormat is the Homeward credential with one prefix.
type HomewardFormat struct {
	Prefix string `yaml:"prefix" jsonschema:"required,pattern=^[a-z][a-z0-9]{1\\,9}$,description=What stands before the first underscore."`
}

// GitLabFormat is GitLab's routable token with the cells of its ids.
type GitLabFormat struct {
	Cells map[string]string `yaml:"cells" jsonschema:"required,description=GitLab cell id in base 36 to the name of a cell."`
}

// JWTFormat is a JSON Web Token that names its cell in a claim.
type JWTFormat struct {
	Claim string `yaml:"claim" jsonschema:"required,description=Name of the top-level claim that holds the cell."`
}

// ProtobufFormat is a protobuf message that names its cell in a string field.
type ProtobufFormat struct {
	Field int `yaml:"field" jsonschema:"required,minimum=1,maximum=536870911,description=Number of the string field that holds the cell."`
}

// Unreadable says what happens to a request on a declared path whose body
// cannot be looked into safely.
type Unreadable string

// What may be done with it.
const (
	Refuse Unreadable = "refuse" // answer with the error
	Pass   Unreadable = "pass"   // decide as if the body held no credential
)

// Body declares requests whose body may be looked into.
type Body struct {
	Paths    []string   `yaml:"paths" jsonschema:"required,minItems=1,description=Paths in normal form; a last segment * matches any rest."`
	Methods  []string   `yaml:"methods,omitempty" jsonschema:"default=POST,description=Methods of those requests."`
	Limit    Size       `yaml:"limit,omitempty" jsonschema:"default=16KiB,description=Longest body that is looked into\\, up to 1MiB."`
	Oversize Unreadable `yaml:"oversize,omitempty" jsonschema:"enum=refuse,enum=pass,default=refuse,description=What happens to a longer body: refuse answers 413."`
	Encoded  Unreadable `yaml:"encoded,omitempty" jsonschema:"enum=refuse,enum=pass,default=refuse,description=What happens to a body with a Content-Encoding: refuse answers 415."`
	Repeated Unreadable `yaml:"repeated,omitempty" jsonschema:"enum=refuse,enum=pass,default=refuse,description=What happens when the field stands twice: refuse answers 400."`
}

// PathRule says where requests without a credential go.
type PathRule struct {
	Path    string   `yaml:"path" jsonschema:"required,description=Path in normal form; a last segment * matches any rest."`
	Methods []string `yaml:"methods,omitempty" jsonschema:"description=Default: all."`
	Cell    string   `yaml:"cell" jsonschema:"required,description=Cell that serves it."`
}

// Lane is a class of traffic.
type Lane struct {
	Name     string    `yaml:"name" jsonschema:"required,pattern=^[a-z][a-z0-9-]{0\\,31}$,description=Small letters digits and hyphens."`
	Match    LaneMatch `yaml:"match,omitempty" jsonschema:"description=All conditions given must hold. Empty matches everything."`
	Priority int       `yaml:"priority,omitempty" jsonschema:"minimum=0,maximum=100,description=Higher is served first under overload."`
	LongPoll bool      `yaml:"long_poll,omitempty" jsonschema:"description=Its requests wait in the cell until there is something to tell: they may take timeouts.stream for the head of the answer and are counted apart."`
}

// LaneMatch is what puts a request into a lane.
type LaneMatch struct {
	Paths   []string `yaml:"paths,omitempty" jsonschema:"description=Any of these paths in normal form; a last segment * matches any rest."`
	Methods []string `yaml:"methods,omitempty" jsonschema:"description=Any of these methods."`
	Headers []string `yaml:"headers,omitempty" jsonschema:"description=Any of these: NAME for present or NAME: VALUE for an exact value."`
}

// Shadow copies a share of the safe requests of one cell to another or to a
// candidate, so that their answers can be compared before the candidate opens.
// Clients never see an answer to a copy. Exactly one of Cell and Gateways is set.
type Shadow struct {
	Name       string   `yaml:"name" jsonschema:"required,pattern=^[a-z][a-z0-9-]{0\\,31}$,description=Small letters digits and hyphens. The copies carry it in Homeward-Shadow."`
	Of         string   `yaml:"of" jsonschema:"required,description=Cell whose requests are copied."`
	Cell       string   `yaml:"cell,omitempty" jsonschema:"description=Cell that gets the copies. Of the same jurisdiction."`
	Gateways   []string `yaml:"gateways,omitempty" jsonschema:"description=Endpoints of a candidate that gets the copies. In the same jurisdiction: they get whole requests with credentials."`
	TLS        *TLS     `yaml:"tls,omitempty" jsonschema:"description=How https and h2 gateways of the candidate are spoken to."`
	Paths      []string `yaml:"paths,omitempty" jsonschema:"description=Only requests for these paths in normal form; a last segment * matches any rest. Default: all."`
	Share      float64  `yaml:"share" jsonschema:"required,minimum=0,maximum=100,description=Percent of the safe requests that are copied: GET HEAD and OPTIONS without a body."`
	Concurrent int      `yaml:"concurrent,omitempty" jsonschema:"default=16,minimum=1,maximum=1000,description=Copies under way at once. What comes while there are as many is not copied\\, and counted."`
	Timeout    Duration `yaml:"timeout,omitempty" jsonschema:"default=10s,description=For a whole copy."`
	Body       Size     `yaml:"body,omitempty" jsonschema:"default=1MiB,description=Longest answer whose content is compared."`
}

// Override sends one account or one opaque credential to another cell than
// its credential says. Exactly one of Account and Fingerprint is set.
type Override struct {
	Account     *uint64 `yaml:"account,omitempty" jsonschema:"minimum=0,description=Id of the account in decimal."`
	Fingerprint string  `yaml:"fingerprint,omitempty" jsonschema:"pattern=^[0-9a-f]{16}$,description=Fingerprint of the credential as token inspect prints it."`
	Cell        string  `yaml:"cell" jsonschema:"required,description=Cell that serves it."`
	Epoch       uint64  `yaml:"epoch,omitempty" jsonschema:"minimum=0,description=Home counter of the account: every move adds one."`
}

// CORS is what the edge answers to browsers of other origins.
type CORS struct {
	Origins       []string `yaml:"origins" jsonschema:"required,minItems=1,description=Origins such as https://app.example.com or https://*.example.com or *."`
	Methods       []string `yaml:"methods,omitempty" jsonschema:"default=GET,default=HEAD,default=POST,default=PUT,default=PATCH,default=DELETE,description=Methods to allow."`
	Headers       []string `yaml:"headers,omitempty" jsonschema:"description=Request headers to allow. Default: those the browser asks for."`
	ExposeHeaders []string `yaml:"expose_headers,omitempty" jsonschema:"description=Further answer headers that scripts may read on the edge's own answers."`
	Credentials   bool     `yaml:"credentials,omitempty" jsonschema:"description=Whether browsers may send cookies. Not possible with the origin *."`
	MaxAge        Duration `yaml:"max_age,omitempty" jsonschema:"default=2h,description=How long browsers keep the answer."`
}

// Timeouts bound each stage of a request. Zero means the default.
type Timeouts struct {
	Header         Duration `yaml:"header,omitempty" jsonschema:"default=10s,description=From the first byte of a request to the end of its head."`
	Idle           Duration `yaml:"idle,omitempty" jsonschema:"default=75s,description=Between two requests on a client's connection."`
	Body           Duration `yaml:"body,omitempty" jsonschema:"default=30s,description=Between two pieces of a request body."`
	Write          Duration `yaml:"write,omitempty" jsonschema:"default=30s,description=For the client to take a piece of the answer."`
	Connect        Duration `yaml:"connect,omitempty" jsonschema:"default=3s,description=To connect to a gateway including TLS."`
	PoolWait       Duration `yaml:"pool_wait,omitempty" jsonschema:"default=3s,description=For a connection to a gateway while all that there may be are in use."`
	ResponseHeader Duration `yaml:"response_header,omitempty" jsonschema:"default=60s,description=From the whole request sent to the head of the answer."`
	ResponseBody   Duration `yaml:"response_body,omitempty" jsonschema:"default=5m,description=Between two pieces of an answer's body."`
	Stream         Duration `yaml:"stream,omitempty" jsonschema:"default=1h,description=Without a byte in either direction of a WebSocket\\, an event stream or a gRPC call."`
	HalfClosed     Duration `yaml:"half_closed,omitempty" jsonschema:"default=1s,description=Between two pieces of the answer once the client has ended its side of an HTTP/1.1 connection; then it counts as gone."`
	UpstreamIdle   Duration `yaml:"upstream_idle,omitempty" jsonschema:"default=55s,description=How long an idle connection to a gateway is kept. Less than the gateway keeps it."`
	Drain          Duration `yaml:"drain,omitempty" jsonschema:"default=30s,description=Over which a stopping edge ends its connections."`
}

// Limits bound the parts of a request. Zero means the default.
type Limits struct {
	Head                Size `yaml:"head,omitempty" jsonschema:"default=32KiB,description=Request line and headers."`
	Headers             int  `yaml:"headers,omitempty" jsonschema:"default=100,minimum=1,maximum=1000,description=Number of header lines."`
	Body                Size `yaml:"body,omitempty" jsonschema:"description=Request body. Default: no limit."`
	Connections         int  `yaml:"connections,omitempty" jsonschema:"default=20000,minimum=1,description=Client connections at once."`
	UpstreamIdle        int  `yaml:"upstream_idle,omitempty" jsonschema:"default=256,minimum=1,description=Idle connections kept to each address of a gateway\\, for each lane."`
	UpstreamConnections int  `yaml:"upstream_connections,omitempty" jsonschema:"default=20000,minimum=1,description=Connections at once to each address of a gateway\\, for each lane."`
}
