package demo

import "encoding/base64"

// stop is one thing to try: a command and what it shows.
type stop struct {
	title  string
	expect string // the outcome, as the live line has it
	args   []string
}

// part is a part of the tour.
type part struct {
	title string
	tool  string // that the arguments are of
	stops []stop
}

const (
	things  = "/crm/v3/objects" // any path will do
	noCell  = "ap1"             // a cell that the topology does not have
	euHost  = "Host: api-eu1.homeward.test"
	browser = "Origin: https://app.homeward.test"
)

// tour is everything worth trying, with new credentials.
func tour(m *mint, b, secure base, calls, secureCalls target) []part {
	return []part{
		{"Home: the credential names its cell", "curl", append(homeByToken(m, b), homeElsewhere(m, b)...)},
		{"Legacy and anonymous: nothing names a cell, so the legacy cell na1 serves it", "curl", nowhere(m, b)},
		{"Refused: nothing is guessed, and no request changes its jurisdiction by accident", "curl", refused(m, b)},
		{"Cell hosts, browsers, HTTP/2", "curl", doors(m, b, secure)},
		{"Answers of other forms", "curl", forms(m, b)},
		{"gRPC on the same port, by the credential in the metadata (github.com/fullstorydev/grpcurl)", "grpcurl", services(m, calls, secureCalls)},
	}
}

// homeByToken shows the formats of access tokens.
func homeByToken(m *mint, b base) []stop {
	return []stop{
		{"bearer token: private-app", "home -> eu1", b.get(things, bearer(m.of("private-app", "eu1")))},
		{"bearer token: homeward", "home -> na2", b.get(things, bearer(m.of("homeward", "na2")))},
		{"header PRIVATE-TOKEN: gitlab-routable", "home -> na2", b.get("/api/v4/projects", "PRIVATE-TOKEN: "+m.of("gitlab-routable", "na2"))},
		{"bearer token: jwt with a claim", "home -> eu1", b.get(things, bearer(m.of("jwt", "eu1")))},
		{"bearer token: refresh, shaped like a key", "home -> na1", b.get(things, bearer(m.of("refresh", "na1")))},
		{"bearer token: oauth-access, a protobuf message", "home -> na2", b.get(things, bearer(m.of("oauth-access", "na2")))},
		{"basic, as the username: homeward", "home -> eu1", append(b.get(things), "-u", m.of("homeward", "eu1")+":")},
	}
}

// homeElsewhere shows the other places of credentials.
func homeElsewhere(m *mint, b base) []stop {
	form := append(b.get("/oauth/v1/token"), "-d", "grant_type=refresh_token", "-d", "refresh_token="+m.of("refresh", "eu1"))
	code := append(b.get("/oauth/v3/token"), "-d", "grant_type=authorization_code", "-d", "code="+m.of("homeward", "na2"))
	return []stop{
		{"query parameter hapikey: api-key", "home -> eu1", b.get("/contacts/v1/lists?count=2&hapikey=" + m.of("api-key", "eu1"))},
		{"in the path: private-app", "home -> na2", b.get("/oauth/v1/access-tokens/" + m.of("private-app", "na2"))},
		{"in the path: refresh", "home -> eu1", b.get("/oauth/v1/refresh-tokens/" + m.of("refresh", "eu1"))},
		{"form field refresh_token: refresh", "home -> eu1", form},
		{"form field code: homeward", "home -> na2", code},
		{"cookie session, which counts only alone", "home -> eu1", append(b.get("/app"), "-b", "session="+m.of("session", "eu1"))},
	}
}

func nowhere(m *mint, b base) []stop {
	return []stop{
		{"a key from before cells, claimed by a rule", "legacy -> na1", b.get("/contacts/v1/lists?hapikey=" + m.of("api-key-legacy", ""))},
		{"a bearer token that no rule claims", "legacy -> na1", b.get(things, bearer(m.opaque()))},
		{"no credential", "anonymous -> na1", b.get("/status-page?a=1;b=%zz&&")},
	}
}

func refused(m *mint, b base) []stop {
	twice := m.of("api-key", "na1")
	return []stop{
		{"the cell " + noCell + " is not in the topology", "unknown-cell -> refused", show(b.get(things, bearer(m.of("private-app", noCell))))},
		{"a typing error: the check characters do not match", "malformed -> refused", show(b.get(things, bearer(mistyped(m.of("homeward", "eu1")))))},
		{"two credentials that name two cells", "conflict -> refused", show(b.get(things+"?hapikey="+m.of("api-key", "na1"), bearer(m.of("private-app", "eu1"))))},
		{"one parameter twice, even if equal", "conflict -> refused", show(b.get(things + "?hapikey=" + twice + "&hapikey=" + twice))},
		{"two Authorization headers", "conflict -> refused", show(b.get(things, bearer(m.of("private-app", "na1")), bearer(m.of("private-app", "na1"))))},
		{"on the host of eu1, a credential of na1", "misrouted -> refused", show(b.get(things, euHost, bearer(m.of("private-app", "na1"))))},
		{"a host that nobody declared", "unknown-host -> refused", show(b.get("/", "Host: api.example.com"))},
	}
}

func doors(m *mint, b, secure base) []stop {
	overTLS := append(secure.get(things, bearer(m.of("private-app", "eu1"))), "--http2")
	preflight := append(b.get(things, browser, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization"), "-X", "OPTIONS")
	return []stop{
		{"the host of eu1 fixes the cell", "anonymous -> eu1", b.get("/status-page", euHost)},
		{"the same with a credential of eu1", "home -> eu1", b.get(things, euHost, bearer(m.of("homeward", "eu1")))},
		{"a browser's preflight, answered without a cell", "preflight -> edge", show(preflight)},
		{"a lane of its own for batches", "home -> na2", b.get("/batch/import", bearer(m.of("private-app", "na2")))},
		{"HTTP/2 with TLS", "home -> eu1", overTLS},
		{"HTTP/2 with prior knowledge", "home -> eu1", append(b.get(things, bearer(m.of("private-app", "eu1"))), "--http2-prior-knowledge")},
	}
}

// forms shows what is not one head and one body. No answer ends the WebSocket,
// so curl leaves it after a second.
func forms(m *mint, b base) []stop {
	open := b.get("/ws", bearer(m.of("homeward", "eu1")), "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: "+base64.StdEncoding.EncodeToString([]byte(m.random(8))))
	return []stop{
		{"early hints, then the answer", "home -> eu1", show(b.get("/early-hints", bearer(m.of("private-app", "eu1"))))},
		{"a trailer behind the answer", "home -> na2", show(b.get("/trailers", bearer(m.of("homeward", "na2"))))},
		{"server-sent events as they come", "home -> eu1", append([]string{"-N"}, b.get("/sse?n=3&ms=200", bearer(m.of("jwt", "eu1")))...)},
		{"a WebSocket opens, for a second", "home -> eu1", append([]string{"-i", "-N", "--http1.1", "-m", "1"}, open...)},
	}
}
