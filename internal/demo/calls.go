package demo

import "net"

// target is how grpcurl reaches a port of the edge as the facade.
type target struct {
	address string
	options []string
}

// dial is reach for grpcurl. caFile is that of the authority to trust; "" for a
// plain port.
func dial(l net.Listener, facade, caFile string) target {
	host, port := where(l)
	t := target{address: net.JoinHostPort(host, port)}
	if caFile == "" {
		t.options = []string{"-plaintext"}
	} else {
		t.options = []string{"-cacert", caFile}
	}
	if caFile != "" || host != "127.0.0.1" {
		t.options = append(t.options, "-authority", facade)
	}
	return t
}

// call is grpcurl's arguments for a method, or for one of its commands, with a
// message, or several, in JSON.
func (t target) call(method, messages string, metadata ...string) []string {
	args := t.options
	for _, m := range metadata {
		args = append(args[:len(args):len(args)], "-H", m)
	}
	if messages != "" {
		args = append(args[:len(args):len(args)], "-d", messages)
	}
	return append(args[:len(args):len(args)], t.address, method)
}

const echoService = "homeward.demo.v1.Echo"

// services shows what the cells answer to gRPC calls.
func services(m *mint, plain, secure target) []stop {
	with := func(home string) string { return bearer(m.of("private-app", home)) }
	return []stop{
		{"one answer", "home -> eu1", plain.call(echoService+"/Echo", `{"text": "hello"}`, with("eu1"))},
		{"answers and requests in turn", "home -> na2", plain.call(echoService+"/Chat", `{"text": "a"} {"text": "b"}`, with("na2"))},
		{"many answers, then a status", "home -> na1", plain.call(echoService+"/Repeat", `{"text": "a", "times": 3}`, with("na1"), "echo-fail: DATA_LOSS")},
		{"the same door with TLS", "home -> eu1", secure.call(echoService+"/Echo", `{"text": "hello"}`, with("eu1"))},
		{"health of the service in a cell", "home -> na2", plain.call("grpc.health.v1.Health/Check", `{"service": "`+echoService+`"}`, with("na2"))},
		{"services, as the cell lists them", "home -> eu1", plain.call("list", "", with("eu1"))},
		{"a cell that is not there, as a status with details", "unknown-cell -> refused", plain.call("list", "", with(noCell))},
	}
}
