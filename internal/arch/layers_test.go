package arch_test

import (
	"slices"
	"testing"
)

// layers is the house from its roof to its ground, as ARCHITECTURE.md draws
// it. A package reaches those in the rows below its own, never one above.
var layers = [][]string{
	{"cmd/...", "bench"},
	{"bench/internal/suite", "bench/internal/install"},
	{"bench/peers", "bench/internal/load"},
	{"bench/internal/process", "bench/internal/report"},
	{"internal/demo"},
	{"internal/edge", "internal/http3", "internal/explain", "internal/gateway"},
	{"internal/telemetry"},
	{"internal/proxy"},
	{"internal/upstream", "internal/admission", "internal/testcell", "internal/testauthority"},
	{"internal/testcell/websocket", "internal/testcell/echo"},
	{"internal/proxy/forwarded"},
	{"internal/eventloop", "internal/proxy/http1", "internal/proxy/extendedconnect", "internal/upstream/http2client", "internal/config", "internal/serve", "internal/serve/proxyproto", "internal/serve/acme", "examples"},
	{"internal/testcert", "internal/testleak", "internal/testjournal"},
	{"route"},
	{"topology"},
	{"credential"},
	{"cell", "conformance"},
}

// climbs is what reaches a package of a row above its own.
func climbs(deps map[string][]string) []string {
	var found []string
	for i, layer := range layers {
		above := slices.Concat(layers[:i]...)
		found = append(found, barrier{from: layer, to: below(above...)}.crossings(deps)...)
	}
	return found
}

func TestLayers(t *testing.T) {
	for _, found := range climbs(reached(t)) {
		t.Error(found)
	}
	for _, found := range climbs(map[string][]string{
		module + "/internal/proxy": {"fmt", module + "/internal/upstream", module + "/route", module + "/cell"},
	}) {
		t.Errorf("found in good code: %s", found)
	}
	for from, to := range map[string]string{"route": "internal/proxy", "internal/upstream": "internal/proxy", "cell": "credential", "internal/edge": "cmd/internal/edgecmd"} {
		if len(climbs(map[string][]string{module + "/" + from: {module + "/" + to}})) != 1 {
			t.Errorf("let through: %s reaching %s", from, to)
		}
	}
}
