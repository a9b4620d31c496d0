package topology

import (
	"fmt"
	"slices"
	"strings"

	"github.com/homeward/homeward/cell"
)

func (v *validator) cells() {
	at := Root.Key("cells")
	if len(v.t.Cells) == 0 {
		v.add(at, "write one entry under cells: for each copy of the platform", "no cell is declared")
	}
	v.count(at, "cells", len(v.t.Cells), MaxCells)
	for i := range v.t.Cells {
		v.cell(at.Index(i), i)
	}
}

func (v *validator) cell(at Path, i int) {
	c := &v.t.Cells[i]
	v.newCellName(at.Key("name"), c.Name, i)
	who := "cell " + c.Name
	if c.Name == "" {
		who = fmt.Sprintf("cell number %d", i+1)
	}
	if strings.TrimSpace(c.Region) == "" {
		v.add(at.Key("region"), "write region: and where it runs, as in us-east-1", "%s has no region", who)
	} else if !printable(c.Region) {
		v.add(at.Key("region"), "write printable characters only", "the region of %s has a control character", who)
	}
	v.jurisdiction(at.Key("jurisdiction"), c.Jurisdiction, who)
	states := make([]string, 0, 3)
	for _, s := range cell.States() {
		states = append(states, string(s))
	}
	v.oneOf(at.Key("state"), "state of a cell", c.State, states...)
	v.hosts(at.Key("hosts"), who, c.Hosts)
	if len(c.Gateways) == 0 {
		v.add(at.Key("gateways"), "write gateways: [https://10.0.0.1:8443], its endpoints", "%s has no gateways", who)
	}
	v.gateways(at.Key("gateways"), who, c.Gateways)
	v.grpcGateways(at.Key("grpc_gateways"), who, c)
	v.tls(at.Key("tls"), who, c.TLS, slices.Concat(c.Gateways, c.GRPCGateways))
	v.health(at.Key("health"), who, c.Health)
	if c.Capacity < 0 {
		v.add(at.Key("capacity"), "write the number of accounts it can hold, or 0 for no limit", "the capacity of %s is below 0", who)
	}
	if s := c.Share; s != nil && !(*s >= 0 && *s <= 100) {
		v.add(at.Key("share"), "write a percentage from 0 to 100", "the share of %s is %v", who, *s)
	}
}

func (v *validator) newCellName(at Path, name string, i int) {
	if name == "" {
		v.add(at, "write name: and 2 to 6 small letters, then 1 or 2 digits, as in na1", "cell number %d has no name", i+1)
		return
	}
	if _, err := cell.ParseName(name); err != nil {
		v.add(at, "write 2 to 6 small letters, then 1 or 2 digits, as in na1", "%q is not a cell name", clip(name))
	}
	if first := v.firstCell[name]; first != i {
		v.add(at, "give each cell its own name", "cell %q is declared twice", clip(name))
	}
}

func (v *validator) jurisdiction(at Path, j, who string) {
	if strings.TrimSpace(j) == "" {
		v.add(at, "write jurisdiction: and where its data may be, as in us or eu", "%s has no jurisdiction", who)
		return
	}
	if _, err := cell.ParseJurisdiction(j); err != nil {
		v.add(at, "write 2 to 8 small letters, as in us or eu", "%q is not a jurisdiction", clip(j))
	}
}

func (v *validator) gateways(at Path, who string, list []string) {
	seen := make(map[string]bool, len(list))
	for i, g := range list {
		if wrong, fix := gatewayProblem(g); wrong != "" {
			v.add(at.Index(i), fix, "gateway %q %s", clip(redactUser(g)), wrong)
		} else if repeated(seen, comparableGateway(g)) {
			v.add(at.Index(i), "remove one", "gateway %q of %s is listed twice", clip(g), who)
		}
	}
}

func (v *validator) grpcGateways(at Path, who string, c *Cell) {
	v.gateways(at, who, c.GRPCGateways)
	for i, g := range c.GRPCGateways {
		if scheme, rest, _ := strings.Cut(g, "://"); scheme == "http" || scheme == "https" {
			v.add(at.Index(i), "write "+map[string]string{"http": "h2c", "https": "h2"}[scheme]+"://"+clip(redactUser(rest)),
				"gRPC needs HTTP/2, and %s:// is HTTP/1.1", scheme)
		}
	}
}

// overTLS reports whether a gateway is spoken to with TLS.
func overTLS(gateway string) bool {
	return strings.HasPrefix(gateway, "https://") || strings.HasPrefix(gateway, "h2://")
}

// redactUser takes out what may be a password before the host of a URL.
func redactUser(g string) string {
	at := strings.LastIndexByte(g, '@')
	if at < 0 {
		return g
	}
	scheme, _, found := strings.Cut(g[:at], "://")
	if !found {
		return "..." + g[at:]
	}
	return scheme + "://..." + g[at:]
}

func (v *validator) tls(at Path, who string, t *TLS, gateways []string) {
	if t == nil {
		return
	}
	if len(gateways) > 0 && !slices.ContainsFunc(gateways, overTLS) {
		v.add(at, "write its gateways as https:// or h2://, or remove tls", "%s has tls, but no https or h2 gateway", who)
	}
	if t.ServerName != "" {
		if wrong, fix := hostProblem(t.ServerName); wrong != "" {
			v.add(at.Key("server_name"), fix, "server name %q %s", clip(t.ServerName), wrong)
		}
	}
	switch cert, key := t.Cert != "", t.Key != ""; {
	case cert && !key:
		v.add(at.Key("key"), "write key: and the file of the certificate's private key", "the tls of %s has a cert without its key", who)
	case key && !cert:
		v.add(at.Key("cert"), "write cert: and the file of the key's certificate", "the tls of %s has a key without its cert", who)
	}
}

// printable reports whether s has no control characters.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
